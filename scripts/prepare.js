// Builds what is packed, published or installed from git. In a fresh clone the tools are installed first.

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

// Options of the npm that runs this, such as --dry-run and --json, are not for this one.
if (!existsSync(new URL("../node_modules/esbuild", import.meta.url))) {
  const options = ["--ignore-scripts", "--include=dev", "--dry-run=false", "--global=false", "--silent"];
  execFileSync("npm", ["ci", ...options], { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
}
const { buildAll } = await import("./build.js");
await buildAll();
