// What the WebAssembly module can be given as.

import { wrongType } from "../checks/errors.js";

// Spelled without naming WebAssembly's types, which not every user's compiler settings know.
type CompiledModule = typeof globalThis extends { WebAssembly: { Module: { prototype: infer T } } } ? T : never;

/** The module's bytes, or the compiled module. */
export type ModuleSource = ArrayBuffer | ArrayBufferView | CompiledModule;

/** Whether a source is compiled: by this realm, or by a host's own that hands modules in. */
export function isCompiled(source: ModuleSource): source is CompiledModule {
  return Object.prototype.toString.call(source) === "[object WebAssembly.Module]";
}

/** The compiled module of a source. */
export async function compile(source: ModuleSource): Promise<CompiledModule> {
  if (isCompiled(source)) return source;
  const bytes = ArrayBuffer.isView(source) || Object.prototype.toString.call(source) === "[object ArrayBuffer]";
  if (!bytes) {
    throw wrongType(
      "source",
      "the module's bytes or a WebAssembly.Module, as in init(await (await fetch(url)).arrayBuffer())",
      source,
    );
  }
  return WebAssembly.compile(source as ArrayBuffer | ArrayBufferView) as unknown as Promise<CompiledModule>;
}
