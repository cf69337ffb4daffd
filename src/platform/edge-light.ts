// Vercel's edge functions: the module is imported, compiled already, and code that names the functions to compile one
// is refused.

import compiled from "./core.wasm?module";
import { isCompiled, type ModuleSource } from "./module-source.js";

export async function prepare(source: ModuleSource = compiled): Promise<WebAssembly.Module> {
  if (isCompiled(source)) return source;
  throw new TypeError('"source" expected a WebAssembly.Module: this entry compiles none');
}

export function instantiate(module: WebAssembly.Module = compiled): object {
  return new WebAssembly.Instance(module).exports;
}
