import { join } from "node:path";
import { openPage } from "../pages.js";
import { runCommand } from "../tools.js";

const folder = import.meta.dirname;

export default [
  {
    name: "Vite and React, set up as by create-vite",
    packages: ["vite", "@vitejs/plugin-react", "react", "typescript-7"],
    run: async () => {
      await runCommand(folder, "typescript-7", ["--build"], { command: "tsc" });
      await runCommand(folder, "vite", ["build"]);
      return { output: await openPage(join(folder, "build")) };
    },
  },
];
