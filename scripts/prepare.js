// Builds what is packed, published or installed from git. In a fresh clone the tools are installed first.

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { runNpm } from "./programs.js";

const root = fileURLToPath(new URL("..", import.meta.url));

// Options of the npm that runs this, such as --dry-run and --json, are not for this one.
if (!existsSync(new URL("../node_modules/esbuild", import.meta.url))) {
  const options = ["--ignore-scripts", "--include=dev", "--dry-run=false", "--global=false", "--silent"];
  runNpm(["ci", ...options], { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
}
const { buildAll } = await import("./build.js");
await buildAll();
