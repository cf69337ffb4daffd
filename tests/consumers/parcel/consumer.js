import { join } from "node:path";
import { largestScript, openPage } from "../pages.js";
import { runCommand } from "../tools.js";

const folder = import.meta.dirname;

export default [
  {
    name: "Parcel",
    packages: ["parcel"],
    run: async () => {
      await runCommand(folder, "parcel", ["build", "index.html", "--dist-dir", "build", "--cache-dir", "build/cache"]);
      const site = join(folder, "build");
      return { output: await openPage(site), bundle: largestScript(site) };
    },
  },
];
