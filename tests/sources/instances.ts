// Instances of the module, made from its files: any number of them in one process.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { draw, seededState } from "../../src/kernels/noise.js";
import { Blocks } from "../../src/module/blocks.js";
import type { Exports } from "../../src/module/exports.js";
import { type Instance, makeInstance } from "../../src/module/instance.js";
import { Stored, storedAs } from "../../src/tensor/tensor.js";

function compile(file: string): WebAssembly.Module {
  return new WebAssembly.Module(readFileSync(fileURLToPath(import.meta.resolve(`ddim-wasm/${file}`))));
}

const modules = { simd: compile("core.wasm"), scalar: compile("core.scalar.wasm") };

export type Build = keyof typeof modules;

/** A new instance. */
export function newInstance(build: Build): Instance {
  return makeInstance(new WebAssembly.Instance(modules[build]).exports as unknown as Exports, "none");
}

/** One of each build, shared by the tests of a file. */
export const instances: Readonly<Record<Build, Instance>> = {
  simd: newInstance("simd"),
  scalar: newInstance("scalar"),
};

const blocks = new WeakMap<Instance, Blocks>();

/** The memory of an instance that its own functions do not use. */
export function blocksOf(core: Instance): Blocks {
  let found = blocks.get(core);
  if (!found) blocks.set(core, (found = new Blocks(core.heapBase, core)));
  return found;
}

/** `length` normal values. */
export function normals(seed: number, length: number): Float32Array<ArrayBuffer> {
  const values = new Float32Array(length);
  draw(instances.simd, seededState(instances.simd, seed), "normal", storedAs(values));
  return values;
}

/** `length` normal halves, as bits. */
export function normalHalves(seed: number, length: number): Uint16Array<ArrayBuffer> {
  const values = new Uint16Array(length);
  draw(instances.simd, seededState(instances.simd, seed), "normal", storedAs(values));
  return values;
}

/** Values in a block of an instance's own memory. */
export function resident(core: Instance, values: Float32Array | Uint16Array): Stored {
  const address = blocksOf(core).allocate(values.byteLength);
  const Class = values.constructor as new (buffer: ArrayBuffer, offset: number, length: number) => typeof values;
  const copy = new Class(core.buffer, address, values.length);
  copy.set(values);
  return new Stored(copy, values.BYTES_PER_ELEMENT === 2, true);
}
