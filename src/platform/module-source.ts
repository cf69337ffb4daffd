// What the WebAssembly module can be given as.

// Spelled without naming WebAssembly's types, which not every user's compiler settings know.
type CompiledModule = typeof globalThis extends { WebAssembly: { Module: { prototype: infer T } } } ? T : never;

/** The module's bytes, or the compiled module. */
export type ModuleSource = ArrayBuffer | ArrayBufferView | CompiledModule;

/** Whether a source is compiled: by this realm, or by a host's own that hands modules in. */
export function isCompiled(source: ModuleSource): source is CompiledModule {
  return Object.prototype.toString.call(source) === "[object WebAssembly.Module]";
}
