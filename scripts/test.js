// Compiles tests/*.test.ts to build/tests/ and runs them with uvu. They import the built package by its name.
// An argument is a pattern of file names: `npm run test:api -- golden` runs tests/golden.test.ts. What takes long or
// much memory is in tests/long/, and runs only when it is asked for: `npm run test:api -- long/`.

import { spawnSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const pattern = process.argv[2] ?? "";
const folder = pattern.startsWith("long/") ? "tests/long" : "tests";

rmSync(join(root, "build/tests"), { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: readdirSync(join(root, folder))
    .filter((name) => name.endsWith(".test.ts"))
    .map((name) => `${folder}/${name}`),
  outbase: "tests",
  outdir: "build/tests",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20",
  packages: "external",
  sourcemap: "inline",
  logLevel: "warning",
});

const { status } = spawnSync(
  process.execPath,
  [
    "--enable-source-maps",
    "--expose-gc",
    join(root, "node_modules/uvu/bin.js"),
    "build/tests",
    `${pattern}.*\\.test\\.js$`,
  ],
  { cwd: root, stdio: "inherit" },
);
process.exitCode = status ?? 1;
