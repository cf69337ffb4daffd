// The library's kernel without the library around it: the module's own `update` on data that is in its memory.

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const module = await WebAssembly.compile(await readFile(fileURLToPath(import.meta.resolve("ddim-wasm/core.wasm"))));

async function prepare(task) {
  const { operation, length, sqrtAlpha, sqrtBeta, sqrtAlphaPrev, sqrtBetaPrev } = task;
  const clipped = operation === "clipped step";
  const { exports: core } = await WebAssembly.instantiate(module);
  const [out, x, m] = [0, 0, 0].map(() => core.allocate(4 * length));
  const view = (address) => new Float32Array(core.memory.buffer, address, length);
  view(x).set(task.sample);
  view(m).set(task.modelOutput);

  // clamp(w (k x + q m), -r, r) a + b x + c m, or b x + c m where nothing is clamped.
  const [k, q, w, r] = [1, -sqrtBeta, 1 / sqrtAlpha, clipped ? 1 : 0];
  const [a, b, c] = clipped
    ? [sqrtAlphaPrev, 0, sqrtBetaPrev]
    : [0, sqrtAlphaPrev / sqrtAlpha, sqrtBetaPrev - (sqrtAlphaPrev * sqrtBeta) / sqrtAlpha];
  return {
    run: () => core.update(out, x, m, 0, 0, length, 0, k, q, w, r, a, b, c, 0),
    result: () => view(out),
  };
}

const takesPart = (operation, type) => ["linear step", "clipped step"].includes(operation) && type === "float32";

export default [{ name: "kernel alone", takesPart, prepare }];
