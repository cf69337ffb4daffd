// Cloudflare Workers, which compile no module at run time: it is imported, compiled already.

import compiled from "./core.wasm";
import { isCompiled, type ModuleSource } from "./module-source.js";

export async function prepare(source: ModuleSource = compiled): Promise<WebAssembly.Module> {
  return isCompiled(source) ? source : WebAssembly.compile(source as ArrayBuffer | ArrayBufferView);
}

export function instantiate(module: WebAssembly.Module = compiled): object {
  return new WebAssembly.Instance(module).exports;
}
