import { openPage } from "../pages.js";
import { runCommand } from "../tools.js";

const folder = import.meta.dirname;

export default [
  {
    name: "Rollup",
    packages: ["rollup", "@rollup/plugin-node-resolve"],
    run: async () => {
      await runCommand(folder, "rollup", ["--config", "--failAfterWarnings"]);
      return { output: await openPage(folder) };
    },
  },
];
