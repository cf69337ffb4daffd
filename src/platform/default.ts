// Node, Deno, Bun, browsers: the module is inside the JavaScript and compiled synchronously, at first use.

import evaluateLoader from "@assemblyscript/loader?deferred";
import { hex } from "../../build/core-bytes.js";
import { compile, type ModuleSource } from "./module-source.js";

/** The module's bytes: four at a time, which takes less than a millisecond before anything has been compiled. */
function bytes(): Uint8Array<ArrayBuffer> {
  const padded = hex.padEnd(Math.ceil(hex.length / 8) * 8, "0");
  const words = new DataView(new ArrayBuffer(padded.length / 2));
  for (let i = 0; i < padded.length; i += 8) words.setUint32(i / 2, parseInt(padded.slice(i, i + 8), 16));
  return new Uint8Array(words.buffer, 0, hex.length / 2);
}

/** Compiles, asynchronously, what `instantiate` takes. */
export async function prepare(source: ModuleSource = bytes()): Promise<WebAssembly.Module> {
  return compile(source);
}

/** The exports in the form that the loader gives them, but the functions themselves, where it wraps each in another. */
export function instantiate(module: WebAssembly.Module = new WebAssembly.Module(bytes())): object {
  const exports = evaluateLoader().demangle(new WebAssembly.Instance(module).exports);
  return Object.fromEntries(
    Object.entries(exports).map(([name, value]) => [name, (value as { original?: unknown }).original ?? value]),
  );
}
