// Inpainting: keeping the known part of an image while the rest is sampled.

import { outOfRange, show } from "./errors.js";
import { sizeOf } from "./dims.js";
import { type Operand, readMatching, readOperand } from "./operands.js";
import type { ReadRunOptions } from "./pipeline-options.js";
import { drawNoiseLike, type Start } from "./run-start.js";
import type { DDIMScheduler } from "./scheduler.js";
import { blendTensor, toFloats } from "./staging.js";
import { type Stored, storedAs } from "./tensor.js";

/** What keeps the known part of a sample, after a step to the level of a timestep; negative: clean. */
export type Inpaint = (x: Operand, timestep: number) => void;

export function readInpainting(options: ReadRunOptions, start: Start, scheduler: DDIMScheduler): Inpaint | null {
  const { mask, known, knownNoise } = options;
  if ((mask === undefined) !== (known === undefined)) {
    throw new TypeError('"mask" and "known" belong together: give both, or neither');
  }
  if (mask === undefined) return null;
  const { generators } = start;
  const image = readMatching(known, "known", start.sample);
  const weight = storedAs(readMask(mask, start.sample));
  let noise = start.noise ?? drawNoiseLike(generators, start.sample);
  return (x, timestep) => {
    let kept: Stored = image;
    if (timestep >= 0) {
      if (knownNoise === "fresh") noise = drawNoiseLike(generators, x);
      kept = storedAs(scheduler.addNoise(image.values, noise, timestep));
    }
    blendTensor(x, x, kept, weight);
  };
}

/** The weight of each element of the sample: the mask, broadcast as numpy does. */
function readMask(mask: unknown, sample: Operand): Float32Array {
  const operand = readOperand(mask, "mask");
  const weights = toFloats(operand.values);
  const wrong = weights.findIndex((weight) => !(weight >= 0 && weight <= 1));
  if (wrong >= 0) throw outOfRange(`mask[${wrong}]`, "a number in [0, 1]", weights[wrong]);
  const { length } = sample.data;
  if (operand.dims === null || sample.dims === null) {
    if (weights.length !== length)
      throw outOfRange("mask", `${length} elements, as many as the sample`, weights.length);
    return weights;
  }
  return broadcast(weights, operand.dims, sample.dims);
}

function broadcast(values: Float32Array, from: readonly number[], to: readonly number[]): Float32Array {
  const missing = to.length - from.length;
  const fits = missing >= 0 && from.every((size, i) => size === 1 || size === to[missing + i]);
  if (!fits) throw outOfRange("mask.dims", `dims that broadcast to ${show(to)}`, from);
  return new Float32Array(sizeOf(to)).map((_, index) => {
    let rest = index;
    let source = 0;
    let stride = 1;
    for (let axis = to.length - 1; axis >= missing; axis--) {
      const size = from[axis - missing]!;
      if (size > 1) source += (rest % to[axis]!) * stride;
      stride *= size;
      rest = Math.floor(rest / to[axis]!);
    }
    return values[source]!;
  });
}
