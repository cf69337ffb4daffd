// The oracle: every contestant's result is compared with the formulas in float64 before it is timed.

import { HALF_VALUES } from "./half.js";

/**
 * Of the larger of the value's magnitude and the task's scale, which is 1 for normal data: what arithmetic in float32 may
 * lose where terms cancel.
 */
const RELATIVE_TOLERANCE = 1e-5;

/** Beyond that, in units in the last place of a half. */
const HALF_TOLERANCE = 2;

/** As RELATIVE_TOLERANCE, for halves that were rounded after each operation. What is computed is checked in float32. */
const ROUNDED_TOLERANCE = 1 / 16;

/** In standard errors, for the moments of random numbers. */
const MOMENT_TOLERANCE = 5;

/** The values of an array of floats, or of halves in any form. */
function decode(array, type) {
  if (type === "float32") return array;
  const bits = new Uint16Array(array.buffer, array.byteOffset, array.length);
  return Float32Array.from(bits, (half) => HALF_VALUES[half]);
}

function quantile(values, ratio) {
  const sorted = values.toSorted();
  const rank = ratio * (sorted.length - 1);
  const low = Math.floor(rank);
  return sorted[low] + (sorted[Math.min(low + 1, sorted.length - 1)] - sorted[low]) * (rank - low);
}

const clamp = (value, bound) => Math.max(-bound, Math.min(value, bound));

/** The result of a task in float64; null for random numbers, and the share of elements that are clipped. */
export function computeExpected(task) {
  const { operation, type, batch, length, guidanceScale, threshold } = task;
  const { sqrtAlpha, sqrtBeta, sqrtAlphaPrev, sqrtBetaPrev } = task;
  if (operation === "randn") return { values: null, clipped: 0 };
  const x = decode(task.sample, type);
  if (operation === "addNoise") {
    const noise = decode(task.noise, type);
    return { values: Float64Array.from(x, (xi, i) => sqrtAlpha * xi + sqrtBeta * noise[i]), clipped: 0 };
  }

  let m = Float64Array.from(decode(task.modelOutput, type));
  if (operation === "guided clipped step") {
    m = m.subarray(0, length).map((uncond, i) => uncond + guidanceScale * (m[length + i] - uncond));
  }
  const x0 = m.map((mi, i) => (x[i] - sqrtBeta * mi) / sqrtAlpha);
  let clipped = 0;
  for (let start = 0; start < length; start += length / batch) {
    const row = x0.subarray(start, start + length / batch);
    let bound = operation === "linear step" ? Infinity : 1;
    let divisor = 1;
    if (operation === "thresholded step") {
      bound = divisor = Math.min(Math.max(quantile(row.map(Math.abs), threshold.ratio), 1), threshold.sampleMaxValue);
    }
    row.forEach((value, i) => {
      if (Math.abs(value) > bound) clipped++;
      row[i] = clamp(value, bound) / divisor;
    });
  }
  return { values: x0.map((value, i) => sqrtAlphaPrev * value + sqrtBetaPrev * m[i]), clipped: clipped / length };
}

/** The distance between neighbouring halves at a value. */
function halfUnit(value) {
  return 2 ** (Math.max(Math.floor(Math.log2(Math.abs(value))), -14) - 10);
}

/** @throws WrongResult unless the values' mean is 0 and their variance 1 */
export function checkMoments(values, who) {
  const count = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count;
  const errors = [Math.abs(mean) * Math.sqrt(count), Math.abs(variance - 1) * Math.sqrt(count / 2)];
  if (!errors.every((error) => error <= MOMENT_TOLERANCE)) {
    throw new WrongResult(`${who} draws a mean of ${mean} and a variance of ${variance}`);
  }
}

export class WrongResult extends Error {}

/**
 * Compares a contestant's result with what `computeExpected` says.
 *
 * @param roundsEachOperation whether the contestant rounds to a half after each operation
 * @throws WrongResult
 */
export function checkResult(task, expected, result, who, roundsEachOperation) {
  if (result.length !== task.length) throw new WrongResult(`${who} gives ${result.length} values`);
  const values = decode(result, task.type);
  if (task.operation === "randn") {
    checkMoments(values, who);
    return;
  }
  for (let i = 0; i < values.length; i++) {
    const right = expected.values[i];
    const magnitude = Math.max(task.scale, Math.abs(right));
    let tolerance = RELATIVE_TOLERANCE * magnitude;
    if (task.type === "float16") {
      tolerance += roundsEachOperation ? ROUNDED_TOLERANCE * magnitude : HALF_TOLERANCE * halfUnit(right);
    }
    if (!(Math.abs(values[i] - right) <= tolerance)) {
      throw new WrongResult(`${who} gives ${values[i]} at ${i} where ${right} is right`);
    }
  }
}
