// What this library uses of WebAssembly: neither ECMAScript's library nor Node's types declare it, and the
// browser's would bring everything else along.
declare namespace WebAssembly {
  type Exports = Record<string, unknown>;
  class Module {
    constructor(bytes: ArrayBuffer | ArrayBufferView);
    static imports(module: Module): object[];
    private readonly brand;
  }
  class Instance {
    constructor(module: Module, imports?: object);
    readonly exports: Exports;
  }
  function compile(bytes: ArrayBuffer | ArrayBufferView): Promise<Module>;
}

// A host's own import of the compiled module.
declare module "*.wasm" {
  const compiled: WebAssembly.Module;
  export default compiled;
}
declare module "*.wasm?module" {
  const compiled: WebAssembly.Module;
  export default compiled;
}

// The module as hexadecimal text, and as JavaScript: the build makes them.
declare module "*.wasm?hex" {
  const hex: string;
  export default hex;
}
declare module "*/core.scalar.js" {
  export default function makeExports(imports: object): object;
}
