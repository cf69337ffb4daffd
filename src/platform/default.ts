// Node, Deno, Bun, browsers: the module is inside the JavaScript and compiled synchronously, at first use.

import { demangle } from "@assemblyscript/loader";
import text from "../../build/core.wasm?text";
import { isCompiled, type ModuleSource } from "./module-source.js";

/** The module's bytes, from the text that scripts/build.js describes. */
function bytes(): Uint8Array<ArrayBuffer> {
  const decoded = [];
  let before = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 37 || code === 38) {
      before = (code - 36) * 88;
    } else {
      decoded.push(before + (code === 36 ? 92 : code) - 43);
      before = 0;
    }
  }
  return Uint8Array.from(decoded);
}

/** Compiles, asynchronously, what `instantiate` takes. */
export async function prepare(source: ModuleSource = bytes()): Promise<WebAssembly.Module> {
  return isCompiled(source) ? source : WebAssembly.compile(source as ArrayBuffer | ArrayBufferView);
}

/** The exports in the form that the loader gives them. */
export function instantiate(module: WebAssembly.Module = new WebAssembly.Module(bytes())): object {
  return demangle(new WebAssembly.Instance(module).exports);
}
