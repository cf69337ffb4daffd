// What is committed, from a fresh clone: packed there, and installed from it by its address.

import { cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Impossible, run } from "../tools.js";

const root = join(import.meta.dirname, "../../..");
const made = join(import.meta.dirname, "build");
const clone = join(made, "clone");
const user = join(made, "user");

// The settings of the npm that runs this, which ignores scripts, are not those of a user.
const env = Object.fromEntries(
  Object.keys(process.env)
    .filter((name) => /^npm_/i.test(name))
    .map((name) => [name, undefined]),
);

export default [
  {
    name: "a fresh clone: npm pack, npm install git+file:",
    packages: ["Node"],
    run: async () => {
      if (!existsSync(join(root, ".git"))) throw new Impossible("this is no clone of the repository");
      await run(root, "git", ["clone", "--quiet", "--depth=1", pathToFileURL(root).href, clone]);
      const packed = JSON.parse(await run(clone, "npm", ["pack", "--json", "--silent"], env));

      mkdirSync(user);
      writeFileSync(join(user, "package.json"), JSON.stringify({ private: true }));
      cpSync(join(import.meta.dirname, "step.mjs"), join(user, "step.mjs"));
      await run(user, "npm", ["install", "--silent", `git+${pathToFileURL(clone)}`], env);
      const installed = readdirSync(join(user, "node_modules/ddim-wasm"), { recursive: true, withFileTypes: true });
      const files = installed.filter((entry) => entry.isFile()).length;
      if (files !== packed[0].files.length) throw new Error(`${files} files, not ${packed[0].files.length}`);
      return { output: await run(user, process.execPath, ["step.mjs"]) };
    },
  },
];
