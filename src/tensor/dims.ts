// The dimensions of a tensor.

import { isArrayLike } from "../checks/checks.js";
import { outOfRange, show, wrongType } from "../checks/errors.js";

/** The most elements that a tensor may have: more than an engine's arrays hold. */
const MOST_ELEMENTS = 2 ** 33;

/** The most dimensions. */
const HIGHEST_RANK = 64;

/** A copy of `dims`, checked; `length`, when given, is what they multiply to. */
export function checkDims(dims: unknown, name: string, length?: number): number[] {
  const expected = "an array of integers >= 0";
  if (!isArrayLike(dims)) throw wrongType(name, expected, dims);
  if (dims.length === 0) throw outOfRange(name, "at least one dimension", dims);
  if (!(dims.length <= HIGHEST_RANK)) throw outOfRange(name, `at most ${HIGHEST_RANK} dimensions`, dims.length);
  const copy = Array.from(dims as ArrayLike<number>);
  for (const size of copy) {
    if (typeof size !== "number") throw wrongType(name, expected, copy);
    if (!(size >= 0 && Number.isInteger(size))) throw outOfRange(name, expected, copy);
  }
  const product = sizeOf(copy);
  if (!(product <= MOST_ELEMENTS)) {
    throw new RangeError(
      `"${name}" expected at most ${MOST_ELEMENTS} elements, got ${show(copy)}: ${product} elements`,
    );
  }
  if (length !== undefined && product !== length) {
    throw new RangeError(
      `"${name}" expected dimensions of ${length} elements, the length of the data, got ${show(copy)}`,
    );
  }
  return copy;
}

/** The number of elements that dimensions hold. */
export function sizeOf(dims: readonly number[]): number {
  let product = 1;
  for (const size of dims) product *= size;
  return product;
}

/** Whether two shapes are the same. */
export function areSameDims(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}

/** The shape of a batch that is `times` as large. */
export function repeatBatch(dims: readonly number[], times: number): number[] {
  const repeated = dims.slice();
  repeated[0]! *= times;
  return repeated;
}
