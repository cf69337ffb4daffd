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
  const { length: rank } = dims;
  if (rank === 0) throw outOfRange(name, "at least one dimension", dims);
  if (!(rank <= HIGHEST_RANK)) throw outOfRange(name, `at most ${HIGHEST_RANK} dimensions`, rank);
  const copy: number[] = [];
  let product = 1;
  for (let i = 0; i < rank; i++) {
    const size = dims[i];
    if (typeof size !== "number") throw wrongType(name, expected, Array.from(dims));
    if (!(size >= 0 && Number.isInteger(size))) throw outOfRange(name, expected, Array.from(dims));
    copy.push(size);
    product *= size;
  }
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
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** The shape of a batch that is `times` as large. */
export function repeatBatch(dims: readonly number[], times: number): number[] {
  const repeated = dims.slice();
  repeated[0]! *= times;
  return repeated;
}
