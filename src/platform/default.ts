// Node, Deno, Bun, browsers: the module is inside the JavaScript and compiled synchronously, at first use.

import { demangle } from "@assemblyscript/loader";
import hex from "../../build/core.wasm?hex";
import type { ModuleSource } from "./module-source.js";

/** The value of a hexadecimal digit's character code. */
function digit(code: number): number {
  return code < 97 ? code - 48 : code - 87;
}

/** The module's bytes; by character codes, since that is what runs fastest before anything has been compiled. */
function bytes(): Uint8Array<ArrayBuffer> {
  const decoded = new Uint8Array(hex.length / 2);
  for (let i = 0; i < decoded.length; i++) {
    decoded[i] = (digit(hex.charCodeAt(2 * i)) << 4) | digit(hex.charCodeAt(2 * i + 1));
  }
  return decoded;
}

/** Compiles, asynchronously, what `instantiate` takes. */
export async function prepare(source: ModuleSource = bytes()): Promise<WebAssembly.Module> {
  return source instanceof WebAssembly.Module ? source : WebAssembly.compile(source as ArrayBuffer | ArrayBufferView);
}

/** The exports in the form that the loader gives them. */
export function instantiate(module: WebAssembly.Module = new WebAssembly.Module(bytes())): object {
  return demangle(new WebAssembly.Instance(module).exports);
}
