// Compiles TypeScript of tests/: test files, and programs that are run by themselves.

import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { deferredLoader } from "./build.js";

/** Compiles files of tests/ to a folder, each at its own path there. */
export async function compileTests(files, outdir) {
  await build({
    absWorkingDir: dirname(dirname(fileURLToPath(import.meta.url))),
    entryPoints: files,
    outbase: "tests",
    outdir,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    packages: "external",
    alias: { "#platform": "./src/platform/default.ts" },
    plugins: [deferredLoader],
    sourcemap: "inline",
    logLevel: "warning",
  });
}
