// The instance that the library's users share, made at first use.

import { instantiate, prepare } from "#platform";
import type { ModuleSource } from "../platform/module-source.js";
import type { Exports } from "./exports.js";
import { type Instance, makeInstance } from "./instance.js";

let instance: Instance | undefined;

/** The library's instance. */
export function useInstance(): Instance {
  return (instance ??= start());
}

function start(module?: Awaited<ReturnType<typeof prepare>>): Instance {
  const remedy = 'import "ddim-wasm/portable", or give init the module "ddim-wasm/core.scalar.wasm"';
  let exports: Exports;
  try {
    exports = instantiate(module) as Exports;
  } catch (cause) {
    const forbidden = /policy|CSP|unsafe-eval|disallowed/i.test(String(cause));
    throw new Error(
      forbidden
        ? `a policy forbids WebAssembly here: allow 'wasm-unsafe-eval' in its script-src, or import "ddim-wasm/portable"`
        : `this engine does not start the WebAssembly module (it takes SIMD): ${remedy}`,
      { cause },
    );
  }
  return makeInstance(exports, remedy);
}

/**
 * Loads the WebAssembly module ahead of the first use, which otherwise compiles the module inside the library, at
 * once and synchronously.
 *
 * Call it where a host forbids that (a browser's main thread before Chrome 114), or to give the module yourself:
 * `ddim-wasm/core.wasm`, or `ddim-wasm/core.scalar.wasm` for an engine without SIMD. A failure leaves the library
 * as it was.
 *
 * @param source the module's bytes, a WebAssembly.Module, or a promise of either; left out, the module inside the library
 * @throws (rejects) Error when a source is given although the module is in use already, or when the engine cannot run
 * it; TypeError for anything but a source
 * @example
 * import { init } from "ddim-wasm";
 * await init();
 */
export async function init(source?: ModuleSource | PromiseLike<ModuleSource>): Promise<void> {
  refuseSecond(source);
  if (instance) return;
  const module = await prepare(await source);
  refuseSecond(source);
  instance ??= start(module);
}

function refuseSecond(source: unknown): void {
  if (instance && source !== undefined) {
    throw new Error('"source" came too late: the module is already in use; call init before anything else');
  }
}
