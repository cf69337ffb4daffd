// Inpainting: keeping the known part of an image while the rest is sampled.

import { refuse } from "../checks/checks.js";
import { outOfRange, show } from "../checks/errors.js";
import { blendTensor, toFloats } from "../kernels/elementwise.js";
import { useInstance } from "../module/default.js";
import { readMatching } from "../schedulers/operands.js";
import type { Scheduler } from "../schedulers/scheduler.js";
import { sizeOf } from "../tensor/dims.js";
import type { Values } from "../tensor/dtype.js";
import { copyValues, isTensor, type Operand, readOperand, storedAs } from "../tensor/tensor.js";
import type { ReadRunOptions } from "./options.js";
import { drawNoiseLike, type Start } from "./start.js";

/** What keeps the known part of a sample, after a step to the level of a timestep; negative: clean. */
export type Inpaint = (x: Operand, timestep: number) => void;

const KNOWN_NOISE = ["same", "fresh"] as const;

export function readInpainting(options: ReadRunOptions, start: Start, scheduler: Scheduler): Inpaint | null {
  const { mask, known, knownNoise = "same" } = options;
  if ((mask === undefined) !== (known === undefined)) {
    throw new TypeError('"mask" expected known beside it, and "known" a mask: give both, or neither');
  }
  if (mask === undefined) {
    if (options.knownNoise !== undefined) throw new TypeError('"knownNoise" expected mask and known beside it');
    return null;
  }
  const own = isTensor(knownNoise)
    ? copyValues(readMatching(useInstance(), knownNoise, "knownNoise", start.sample), "knownNoise")
    : null;
  if (!own && !KNOWN_NOISE.includes(knownNoise as "same")) {
    return refuse("knownNoise", knownNoise, "string", '"same", "fresh" or a tensor of noise');
  }
  // Copies: the run goes on while the model is waited for, and what it was given may be freed or change meanwhile.
  const image = copyValues(readMatching(useInstance(), known, "known", start.sample), "known");
  const weight = storedAs(readMask(mask, start.sample));
  let noise: Values = own ?? start.noise;
  return (x, timestep) => {
    let kept = image;
    if (timestep >= 0) {
      if (knownNoise === "fresh") noise = drawNoiseLike(start.generators, x);
      kept = scheduler.addNoise(image, noise, timestep);
    }
    blendTensor(useInstance(), x, x, storedAs(kept), weight);
  };
}

/** The weight of each element of the sample: the mask, broadcast as numpy does. */
function readMask(mask: unknown, sample: Operand): Float32Array {
  const operand = readOperand(useInstance(), mask, "mask");
  const weights = toFloats(useInstance(), operand.values);
  const wrong = weights.findIndex((weight) => !(weight >= 0 && weight <= 1));
  if (wrong >= 0) throw outOfRange(`mask[${wrong}]`, "a number in [0, 1]", weights[wrong]);
  if (operand.dims === null || sample.dims === null) {
    if (weights.length !== sample.length) {
      throw outOfRange("mask", `${sample.length} elements, as many as the sample`, weights.length);
    }
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
