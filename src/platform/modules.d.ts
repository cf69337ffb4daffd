// What this library uses of WebAssembly: neither ECMAScript's library nor Node's types declare it, and the
// browser's would bring everything else along.
declare namespace WebAssembly {
  type Exports = Record<string, unknown>;
  class Module {
    constructor(bytes: ArrayBuffer | ArrayBufferView);
    private readonly brand;
  }
  class Instance {
    constructor(module: Module, imports?: object);
    readonly exports: Exports;
  }
  function compile(bytes: ArrayBuffer | ArrayBufferView): Promise<Module>;
}

// Binary files come as base64 text: esbuild's loader of that name.
declare module "*.wasm" {
  const base64: string;
  export default base64;
}
