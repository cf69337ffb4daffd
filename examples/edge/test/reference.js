// What the URLs have to give: pictures drawn by the examples' own files in Node.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { FILES } from "../scripts/bundle.js";
import { folder } from "./workerd.js";

const outfile = join(folder, "build/examples.js");
await build({
  entryPoints: [join(folder, "test/examples.js")],
  outfile,
  bundle: true,
  format: "esm",
  platform: "node",
  packages: "external",
  logLevel: "error",
});
const { drawPicture } = await import(pathToFileURL(outfile));

const drawn = new Map();

/**
 * @param {string} path of a picture's URL
 * @returns {Promise<Buffer>}
 */
export async function referenceOf(path) {
  if (!drawn.has(path)) {
    const parameters = Object.fromEntries(new URL(path, "http://localhost").searchParams);
    drawn.set(path, Buffer.from(await drawPicture((name) => readFile(FILES[name]), parameters)));
  }
  return drawn.get(path);
}

/** Pictures of both models, with each parameter and sampler, for every runtime. */
export const PICTURES = [
  { prompt: "a big red star on a blue background" },
  { prompt: "a green ring on a black background", steps: 8, sampler: "dpm", seed: -3 },
  { prompt: "a yellow heart", negative: "a star", steps: 4, guidance: 1, sampler: "lcm", seed: "18446744073709551615" },
  { prompt: "a wide pink cross", steps: 3, sampler: "tcd", width: 80, height: 32, guidance: 7.5 },
  { model: "digits", digit: 3 },
  { model: "digits", digit: 8, sampler: "dpm", seed: 5, guidance: 4 },
].map((parameters) => `/picture?${new URLSearchParams(parameters)}`);
