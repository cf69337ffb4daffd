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
declare module "*/core-bytes.js" {
  export const hex: string;
}
declare module "*/core-scalar.js" {
  export function makeExports(imports: object): object;
}

// AssemblyScript's loader, whose module is evaluated when the function is called: the build makes it.
declare module "@assemblyscript/loader?deferred" {
  export default function evaluate(): { demangle(exports: object): object };
}
