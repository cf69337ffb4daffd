// The library's kernel without the library around it: the module's own `update` on data that is in its memory.

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const module = await WebAssembly.compile(await readFile(fileURLToPath(import.meta.resolve("ddim-wasm/core.wasm"))));

async function prepare(task) {
  const { operation, length, sqrtAlpha, sqrtBeta, sqrtAlphaPrev, sqrtBetaPrev } = task;
  const clipped = operation === "clipped step";
  const { exports: core } = await WebAssembly.instantiate(module);
  core.grow(Math.ceil((12 * length) / 65536));
  const [out, x, m] = [0, 1, 2].map((i) => Math.ceil(core.heapBase() / 16) * 16 + 4 * length * i);
  const view = (address) => new Float32Array(core.memory.buffer, address, length);
  view(x).set(task.sample);
  view(m).set(task.modelOutput);

  // clamp(u (x + q m), -s, s) + c m, or b x + c m where nothing is clamped.
  const scale = sqrtAlphaPrev / sqrtAlpha;
  const [q, u, s, b, c] = clipped
    ? [-sqrtBeta, scale, sqrtAlphaPrev, 0, sqrtBetaPrev]
    : [0, 0, 0, scale, sqrtBetaPrev - scale * sqrtBeta];
  // The record of assembly/update.ts: k, l, w, r of the prediction, which is not wanted; p, q, u, s, b, c, d.
  new Float32Array(core.memory.buffer, core.coefficientRecords(), 11).set([0, 0, 0, 0, 1, q, u, s, b, c, 0]);
  return {
    run: () => core.update(out, 0, x, m, 0, 0, length, 1, 0),
    result: () => view(out),
  };
}

const takesPart = (operation, type) => ["linear step", "clipped step"].includes(operation) && type === "float32";

export default [{ name: "kernel alone", bySize: true, takesPart, prepare }];
