// What a step has to know of whole batch elements before it computes them.

import { type Instance, STAGE } from "../module/instance.js";
import { stageAddress, stageIn } from "./pieces.js";
import { type Inputs, stageConditional } from "./inputs.js";

/** The guided model output of a piece in its stage. */
function blendGuided(core: Instance, inputs: Inputs, cond: number, start: number, n: number): number {
  const uncond = stageIn(core, STAGE.modelOutput, inputs.modelOutput, start, n);
  const guided = stageAddress(core, STAGE.modelOutput);
  core.exports.blend(guided, uncond, cond, 0, inputs.guidance!, n);
  return guided;
}

/**
 * For each of `count` batch elements of `length` values from `first` on: the deviation of the conditional model output
 * over that of the guided one; 1 where either is 0.
 */
export function deviationRatios(
  core: Instance,
  inputs: Inputs,
  first: number,
  count: number,
  length: number,
): Float64Array {
  const { exports, pieceLength, statistics } = core;
  const from = first * length;
  const to = from + count * length;
  for (let start = from, n = 0; start < to; start += n) {
    n = Math.min(to - start, pieceLength);
    const cond = stageConditional(core, inputs, start, n);
    const guided = blendGuided(core, inputs, cond, start, n);
    if (n === to - from) exports.deviationRatios(cond, guided, length, count);
    else {
      // One element that is larger than a piece.
      if (start === from) exports.beginDeviations(cond, guided);
      exports.addDeviations(cond, guided, n);
      statistics[0] = exports.deviationRatio(length);
    }
  }
  return statistics.slice(0, count);
}

/**
 * For each of `count` batch elements of `length` values from `first` on: the quantile of |x0|, not clamped,
 * interpolated linearly between order statistics; NaN where any x0 is NaN. Their predictions are the records.
 */
export function originalQuantiles(
  core: Instance,
  inputs: Inputs,
  first: number,
  count: number,
  length: number,
  ratio: number,
): Float64Array {
  const { exports, pieceLength, statistics } = core;
  const rank = ratio * (length - 1);
  const index = Math.floor(rank);
  const from = first * length;
  const to = from + count * length;
  if (to - from <= pieceLength) {
    const x0 = predictOriginal(core, inputs, from, to - from, count);
    exports.quantiles(x0, length, count, index, rank - index);
    return statistics;
  }
  exports.beginSelection(length, index);
  do {
    for (let start = from, n = 0; start < to; start += n) {
      n = Math.min(to - start, pieceLength);
      exports.count(predictOriginal(core, inputs, start, n, 1), n);
    }
  } while (exports.narrow());
  statistics[0] = exports.quantile(rank - index);
  return statistics;
}

/** The predicted original sample of a piece of `count` batch elements, not clamped, in its stage. */
function predictOriginal(core: Instance, inputs: Inputs, start: number, n: number, count: number): number {
  const x = stageIn(core, STAGE.sample, inputs.sample, start, n);
  const m = stageIn(core, STAGE.modelOutput, inputs.modelOutput, start, n);
  const cond = stageConditional(core, inputs, start, n);
  const x0 = stageAddress(core, STAGE.original);
  core.exports.update(x0, 0, x, m, cond, 0, n / count, count, inputs.guidance ?? 0);
  return x0;
}
