// Tensors of any size, place and type pass through the module piece by piece: a piece of each input is copied to a
// stage, the kernel runs on it while it is in the cache, and the result is copied out. Tensors in the module's own
// memory are worked on where they are. Halves become floats on the way in, and are rounded once on the way out: kernels
// see float32 only.

import type { Instance, Stage } from "../module/instance.js";
import { bytesEach } from "../tensor/dtype.js";
import type { Stored } from "../tensor/tensor.js";
import { byteOffsetOf, copyInto, part } from "../tensor/typed-array.js";

/** Whether kernels work on a tensor where it is. */
export function isInPlace({ resident, half }: Stored): boolean {
  return resident && !half;
}

export function stageAddress(core: Instance, stage: number): number {
  return core.stages[stage]!.address;
}

function addressIn({ values, dtype }: Stored, start: number): number {
  return byteOffsetOf(values) + start * bytesEach(dtype);
}

function copyIn(target: Stage<Float32Array> | Stage<Uint16Array>, tensor: Stored, start: number, n: number): number {
  target.whole.set(n === tensor.length ? tensor.values : part(tensor.values, start, n));
  return target.address;
}

function copyOut(source: Stage<Float32Array> | Stage<Uint16Array>, tensor: Stored, start: number, n: number): void {
  copyInto(tensor.values, source.first(n), start);
}

/** The address of `n` floats from `start` on: in place if they are in the module's memory, else copied to a stage. */
export function stageIn(core: Instance, stage: number, tensor: Stored, start: number, n: number): number {
  if (!tensor.half) {
    return tensor.resident ? addressIn(tensor, start) : copyIn(core.stages[stage]!, tensor, start, n);
  }
  const halves = tensor.resident ? addressIn(tensor, start) : copyIn(core.halves, tensor, start, n);
  const address = stageAddress(core, stage);
  core.exports.decode(address, halves, n);
  return address;
}

/** Where a kernel stores a piece of a tensor. */
export function resultAddress(core: Instance, stage: number, tensor: Stored, start: number): number {
  return isInPlace(tensor) ? addressIn(tensor, start) : stageAddress(core, stage);
}

/**
 * Hands `n` floats of a result over to a tensor, if they are not there already; rounded to halves if it holds such.
 *
 * @param address where the kernel has stored them
 * @param half round them to the values of halves in any case
 */
export function stageOut(
  core: Instance,
  stage: number,
  address: number,
  tensor: Stored,
  start: number,
  n: number,
  half: boolean,
): void {
  if (tensor.half) {
    core.exports.encode(tensor.resident ? addressIn(tensor, start) : core.halves.address, address, n);
    if (!tensor.resident) copyOut(core.halves, tensor, start, n);
    return;
  }
  if (half) roundToHalf(core, address, n);
  if (!tensor.resident) copyOut(core.stages[stage]!, tensor, start, n);
}

/** Rounds floats to the values of halves, in place. */
export function roundToHalf(core: Instance, address: number, n: number): void {
  const halves = core.halves.address;
  core.exports.encode(halves, address, n);
  core.exports.decode(address, halves, n);
}
