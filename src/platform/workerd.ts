// Cloudflare Workers, which compile no module at run time: it is imported, compiled already.

import compiled from "./core.wasm";
import { compile, type ModuleSource } from "./module-source.js";

export async function prepare(source: ModuleSource = compiled): Promise<WebAssembly.Module> {
  return compile(source);
}

export function instantiate(module: WebAssembly.Module = compiled): object {
  return new WebAssembly.Instance(module).exports;
}
