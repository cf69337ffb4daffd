// Engines without WebAssembly, or without SIMD: the scalar module, turned into JavaScript.

import { makeExports } from "../../build/core-scalar.js";
import type { ModuleSource } from "./module-source.js";

export async function prepare(source?: ModuleSource): Promise<undefined> {
  if (source !== undefined)
    throw new TypeError('"source" expected nothing: ddim-wasm/portable has no WebAssembly module');
}

export function instantiate(): object {
  return makeExports({});
}
