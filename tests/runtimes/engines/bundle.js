// Bundles a program as its users' tools do.

import { join } from "node:path";
import { build } from "esbuild";

/**
 * @param {string} folder where the package is installed
 * @param {string} program a file in it
 * @param {import("esbuild").BuildOptions} options
 * @returns {Promise<string>} the bundle's text
 */
export async function bundle(folder, program, options) {
  const { outputFiles } = await build({
    absWorkingDir: folder,
    entryPoints: [join(folder, program)],
    bundle: true,
    write: false,
    outfile: "bundle.js",
    format: "esm",
    target: "es2022",
    logLevel: "error",
    ...options,
  });
  return outputFiles[0].text;
}
