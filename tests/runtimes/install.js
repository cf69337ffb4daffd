// The package as users get it: packed, and installed in a folder of its own.

import { cpSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runNpm } from "../../scripts/programs.js";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The programs of docs/runtimes.md: the blocks of code that begin with a file's name. */
function* documentedPrograms() {
  const text = readFileSync(join(root, "docs/runtimes.md"), "utf8");
  for (const [, name, code] of text.matchAll(/^```js\n\/\/ (\S+\.js)\n([^]*?)^```$/gm)) yield { name, code };
}

/** The path of a folder that holds the installed package, the documented programs, the digest, and programs that print it. */
export function installPackage() {
  const folder = mkdtempSync(join(tmpdir(), "ddim-wasm-"));
  const npm = (...args) => runNpm(args, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  const [{ filename }] = JSON.parse(npm("pack", root, "--ignore-scripts", "--json", "--silent"));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
  npm("install", "--offline", "--silent", `./${filename}`);
  cpSync(new URL("./digest.js", import.meta.url), join(folder, "digest.js"));
  cpSync(new URL("./programs", import.meta.url), folder, { recursive: true });
  for (const { name, code } of documentedPrograms()) writeFileSync(join(folder, name), code);
  return folder;
}
