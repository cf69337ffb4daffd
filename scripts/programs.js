// How the tools are started, on every system: by their files, with Node. On Windows npm and the commands in
// node_modules/.bin are scripts of the command line, which start only in a shell, and a shell splits paths at spaces.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";

/** npm's own file: that of the npm that runs this, or the one that lies beside Node on Windows. */
function npmFile() {
  const { npm_execpath: running } = process.env;
  const files = [running, join(dirname(process.execPath), "node_modules/npm/bin/npm-cli.js")];
  return files.find((file) => file !== undefined && basename(file) === "npm-cli.js" && existsSync(file));
}

/** Runs npm to its end, and returns what it printed. */
export function runNpm(args, options) {
  const file = npmFile();
  return file ? execFileSync(process.execPath, [file, ...args], options) : execFileSync("npm", args, options);
}

/** The file that Node runs for a command of an installed package, as it is called in the package's `bin`. */
export function commandFile(name, command = name) {
  const paths = createRequire(import.meta.url).resolve.paths(name);
  const folder = paths.map((path) => join(path, name)).find((path) => existsSync(path));
  if (folder === undefined) throw new Error(`the package ${name} is not installed: run npm ci`);
  const { bin } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return join(folder, typeof bin === "string" ? bin : bin[command]);
}
