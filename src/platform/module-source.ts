// What the WebAssembly module can be given as.

// Spelled without naming WebAssembly's types, which not every user's compiler settings know.
type CompiledModule = typeof globalThis extends { WebAssembly: { Module: { prototype: infer T } } } ? T : never;

/** The module's bytes, or the compiled module. */
export type ModuleSource = ArrayBuffer | ArrayBufferView | CompiledModule;
