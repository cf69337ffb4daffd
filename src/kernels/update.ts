// The update of a tensor: batch elements that have coefficients of their own pass through the module together, as many
// as a piece holds; larger ones, and batches that share their coefficients, piece by piece.

import { type Instance, STAGE } from "../module/instance.js";
import type { Stored } from "../tensor/tensor.js";
import { type Coefficients, scaleModelOutput, setThreshold, storePrediction, storeRecord } from "./coefficients.js";
import { type Inputs, stageConditional } from "./inputs.js";
import { NormalStream, type RandomState } from "./noise.js";
import { isInPlace, resultAddress, stageAddress, stageIn, stageOut } from "./pieces.js";
import { deviationRatios, originalQuantiles } from "./statistics.js";

/** What an update computes for each batch element. */
export interface Formula {
  /** The coefficients of a batch element, in a record that the next call writes again. */
  coefficientsOf(element: number): Coefficients;
  /** Whether batch elements have coefficients of their own. */
  readonly perElement: boolean;
  /** Share of the guided output that is brought back to the conditional one's deviation. */
  readonly guidanceRescale: number;
  /** The quantile of |x0| that bounds it, and the bounds of that; null where x0 is not thresholded. */
  readonly thresholding: { readonly ratio: number; readonly maxValue: number } | null;
}

/** Noise as a tensor, or as generators: one for all, or one for each batch element. */
export type Noise = Stored | readonly RandomState[];

/**
 * Computes `out`, and the predicted original sample if it is wanted, from the inputs and noise.
 *
 * @param batch number of batch elements
 * @param half treat floats as halves: noise is drawn as such, and results are rounded to their values
 */
export function updateTensor(
  core: Instance,
  out: Stored,
  original: Stored | null,
  inputs: Inputs,
  noise: Noise | null,
  formula: Formula,
  batch: number,
  half: boolean,
): void {
  const { length } = out;
  if (length === 0) return;
  const states = Array.isArray(noise) ? (noise as readonly RandomState[]) : null;
  const stream = states && new NormalStream(core, half || out.half);
  const tensor = states ? null : (noise as Stored | null);
  // Nothing to copy, to draw or to round: one piece.
  const inPlace =
    !half &&
    noise === null &&
    original === null &&
    isInPlace(out) &&
    isInPlace(inputs.sample) &&
    isInPlace(inputs.modelOutput);
  const pieceLength = inPlace ? length : core.pieceLength;

  const elements = formula.perElement || (states !== null && states.length > 1) ? batch : 1;
  const elementLength = length / elements;
  const perRun = Math.min(Math.max(Math.floor(core.pieceLength / elementLength), 1), core.recordCount);
  if (stream && states!.length === 1) stream.begin(states![0]!, length);

  for (let element = 0; element < elements; element += perRun) {
    const count = Math.min(perRun, elements - element);
    const from = element * elementLength;
    const to = from + count * elementLength;
    prepareRecords(core, inputs, formula, element, count, elementLength);
    for (let start = from, n = 0; start < to; start += n) {
      n = Math.min(to - start, pieceLength);
      const x = stageIn(core, STAGE.sample, inputs.sample, start, n);
      const m = stageIn(core, STAGE.modelOutput, inputs.modelOutput, start, n);
      const cond = stageConditional(core, inputs, start, n);
      let z = 0;
      if (stream) {
        drawNoise(stream, states!, element, count, elementLength, start - from, n);
        z = stageAddress(core, STAGE.noise);
      } else if (tensor) z = stageIn(core, STAGE.noise, tensor, start, n);
      const prev = resultAddress(core, STAGE.sample, out, start);
      const x0 = original ? resultAddress(core, STAGE.original, original, start) : 0;
      core.exports.update(prev, x0, x, m, cond, z, n / count, count, inputs.guidance ?? 0);
      stageOut(core, STAGE.sample, prev, out, start, n, half);
      if (original) stageOut(core, STAGE.original, x0, original, start, n, half);
    }
  }
}

/** Puts the noise of a piece in its stage. */
function drawNoise(
  stream: NormalStream,
  states: readonly RandomState[],
  element: number,
  count: number,
  elementLength: number,
  offset: number,
  n: number,
): void {
  // The noise of the whole tensor, or the rest of an element that is larger than a piece, goes on.
  if (states.length === 1 || offset > 0) return stream.next(n, 0);
  for (let i = 0; i < count; i++) {
    stream.begin(states[element + i]!, elementLength);
    stream.next(n / count, (i * n) / count);
  }
}

/** Stores the coefficients of `count` batch elements from `element` on. */
function prepareRecords(
  core: Instance,
  inputs: Inputs,
  formula: Formula,
  element: number,
  count: number,
  length: number,
): void {
  const { thresholding } = formula;
  const ratios = formula.guidanceRescale > 0 ? deviationRatios(core, inputs, element, count, length) : null;
  if (!thresholding) {
    for (let i = 0; i < count; i++) storeRecord(core, i, coefficientsOf(formula, element, i, ratios));
    return;
  }
  for (let i = 0; i < count; i++) storePrediction(core, i, coefficientsOf(formula, element, i, ratios));
  const quantiles = originalQuantiles(core, inputs, element, count, length, thresholding.ratio);
  for (let i = 0; i < count; i++) {
    const coefficients = coefficientsOf(formula, element, i, ratios);
    // Imagen, arXiv 2205.11487, section 2.3: the threshold.
    setThreshold(coefficients, Math.min(Math.max(quantiles[i]!, 1), thresholding.maxValue));
    storeRecord(core, i, coefficients);
  }
}

/** The coefficients of the batch element `first + i`, its guidance rescaled (arXiv 2305.08891, formulas 15 and 16). */
function coefficientsOf(formula: Formula, first: number, i: number, ratios: Float64Array | null): Coefficients {
  const coefficients = formula.coefficientsOf(first + i);
  if (ratios) scaleModelOutput(coefficients, formula.guidanceRescale * ratios[i]! + (1 - formula.guidanceRescale));
  return coefficients;
}
