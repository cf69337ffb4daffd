// Installs the packages of a folder as its lock file has them, unless they are installed already:
// `node scripts/install.js examples/digits`.

import { copyFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runNpm } from "./programs.js";

const folder = join(fileURLToPath(new URL("..", import.meta.url)), process.argv[2]);
const lock = join(folder, "package-lock.json");
/** The lock file that the packages were installed from. */
const installed = join(folder, "node_modules", ".installed-lock.json");

if (!existsSync(installed) || !readFileSync(installed).equals(readFileSync(lock))) {
  console.log(`installing the packages of ${process.argv[2]}`);
  runNpm(["ci", "--silent"], { cwd: folder, stdio: ["ignore", "inherit", "inherit"] });
  copyFileSync(lock, installed);
}
