// Builds everything in build/ from assembly/, src/ and index.ts.

import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Runs one of the development tools, as `npx` would. */
function run(tool, ...args) {
  execFileSync(join(root, "node_modules", ".bin", tool), args, { cwd: root, stdio: "inherit" });
}

rmSync(join(root, "build"), { recursive: true, force: true });

for (const target of ["debug", "release", "scalar"]) run("asc", "--target", target);

await build({
  absWorkingDir: root,
  entryPoints: ["index.ts"],
  outfile: "build/index.js",
  bundle: true,
  minify: true,
  sourcemap: false,
  format: "esm",
  platform: "neutral",
  target: "es2022",
  mainFields: ["module", "main"],
  legalComments: "none",
  loader: { ".wasm": "base64" },
  alias: { "#platform": "./src/platform/default.ts" },
});

run("tsc", "--project", "tsconfig.build.json");
