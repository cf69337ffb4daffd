import { join } from "node:path";
import { promisify } from "node:util";
import webpack from "webpack";
import { largestScript, openPage } from "../pages.js";
import config from "./webpack.config.js";

const folder = import.meta.dirname;

export default [
  {
    name: "webpack",
    packages: ["webpack"],
    run: async () => {
      const stats = await promisify(webpack)({ ...config, context: folder });
      if (stats.hasErrors() || stats.hasWarnings()) throw new Error(stats.toString());
      return { output: await openPage(folder), bundle: largestScript(join(folder, "build")) };
    },
  },
];
