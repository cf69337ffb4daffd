import { join } from "node:path";
import { largestScript, openPage } from "../pages.js";
import { runCommand } from "../tools.js";

const folder = import.meta.dirname;

export default [
  {
    name: "Vite and TypeScript: a page and a worker",
    packages: ["vite", "typescript-7"],
    run: async () => {
      await runCommand(folder, "typescript-7", [], { command: "tsc" });
      await runCommand(folder, "vite", ["build"]);
      const site = join(folder, "build");
      return { output: await openPage(site), steps: 2, bundle: largestScript(site) };
    },
  },
];
