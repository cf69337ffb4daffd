// Node, Deno, Bun, browsers: the module is inside the JavaScript and compiled synchronously, at first use.

import { demangle } from "@assemblyscript/loader";
import hex from "../../build/core.wasm?hex";
import type { ModuleSource } from "./module-source.js";

function bytes(): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: hex.length / 2 }, (_, i) => parseInt(hex.slice(2 * i, 2 * i + 2), 16));
}

/** Compiles, asynchronously, what `instantiate` takes. */
export async function prepare(source: ModuleSource = bytes()): Promise<WebAssembly.Module> {
  return source instanceof WebAssembly.Module ? source : WebAssembly.compile(source as ArrayBuffer | ArrayBufferView);
}

/** The exports in the form that the loader gives them. */
export function instantiate(module: WebAssembly.Module = new WebAssembly.Module(bytes())): object {
  return demangle(new WebAssembly.Instance(module).exports);
}
