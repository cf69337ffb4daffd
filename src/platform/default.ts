// Node, Deno, Bun, browsers: the module is inside the JavaScript and compiled synchronously, at first use.

import { demangle } from "@assemblyscript/loader";
import hex from "../../build/core.wasm?hex";
import { isCompiled, type ModuleSource } from "./module-source.js";

/** The module's bytes: four at a time, which takes half a millisecond before anything has been compiled. */
function bytes(): Uint8Array<ArrayBuffer> {
  const words = new DataView(new ArrayBuffer(hex.length));
  for (let i = 0; i < hex.length; i += 8) words.setUint32(i / 2, parseInt(hex.slice(i, i + 8).padEnd(8, "0"), 16));
  return new Uint8Array(words.buffer, 0, hex.length / 2);
}

/** Compiles, asynchronously, what `instantiate` takes. */
export async function prepare(source: ModuleSource = bytes()): Promise<WebAssembly.Module> {
  return isCompiled(source) ? source : WebAssembly.compile(source as ArrayBuffer | ArrayBufferView);
}

/** The exports in the form that the loader gives them. */
export function instantiate(module: WebAssembly.Module = new WebAssembly.Module(bytes())): object {
  return demangle(new WebAssembly.Instance(module).exports);
}
