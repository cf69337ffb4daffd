// The builds that the tests run on, each a copy of the library of its own.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The library as its users import it. */
export type Library = typeof import("ddim-wasm");

/** The names of its schedulers' classes. */
export const SAMPLERS = [
  "DDIMScheduler",
  "DDIMInverseScheduler",
  "LCMScheduler",
  "TCDScheduler",
  "DPMSolverMultistepScheduler",
] as const;

/** A copy of the library whose module is `file`, or the one inside the library. */
export async function copy(name: string, file?: string): Promise<Library> {
  const url = new URL(import.meta.resolve("ddim-wasm"));
  url.search = name;
  const library = (await import(url.href)) as Library;
  if (file) await library.init(readFileSync(fileURLToPath(import.meta.resolve(file))));
  return library;
}

/** SIMD and scalar: the same results, bit for bit. */
export const implementations = {
  simd: await copy("simd"),
  scalar: await copy("scalar", "ddim-wasm/core.scalar.wasm"),
};

/** The pipeline's class, which tests use as untyped callers do. */
export function pipelineOf(library: any): any {
  return library.DiffusionPipeline;
}
