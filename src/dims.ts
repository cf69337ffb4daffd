// The dimensions of a tensor.

import { isArrayLike } from "./checks.js";
import { outOfRange, show, wrongType } from "./errors.js";

/** A copy of `dims`, checked; `length`, when given, is what they multiply to. */
export function checkDims(dims: unknown, name: string, length?: number): number[] {
  const expected = "an array of integers >= 0";
  if (!isArrayLike(dims)) throw wrongType(name, expected, dims);
  const copy = Array.from(dims as ArrayLike<number>);
  for (const size of copy) {
    if (typeof size !== "number") throw wrongType(name, expected, copy);
    if (!(size >= 0 && Number.isInteger(size))) throw outOfRange(name, expected, copy);
  }
  if (copy.length === 0) throw outOfRange(name, "at least one dimension", copy);
  const product = sizeOf(copy);
  if (!Number.isSafeInteger(product)) throw outOfRange(name, "fewer elements", copy);
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
