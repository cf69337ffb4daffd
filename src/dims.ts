// The dimensions of a tensor.

import { outOfRange, show, wrongType } from "./errors.js";

/** A copy of `dims`, checked; `length`, when given, is what they multiply to. */
export function checkDims(dims: unknown, name: string, length?: number): number[] {
  if (typeof dims !== "object" || dims === null || typeof (dims as ArrayLike<unknown>).length !== "number") {
    throw wrongType(name, "an array of integers >= 0", dims);
  }
  const copy = Array.from(dims as ArrayLike<number>);
  let product = 1;
  for (const size of copy) {
    if (typeof size !== "number") throw wrongType(name, "an array of integers >= 0", copy);
    if (!Number.isSafeInteger(size) || size < 0) throw outOfRange(name, "an array of integers >= 0", copy);
    product *= size;
  }
  if (copy.length === 0) throw outOfRange(name, "at least one dimension", copy);
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
  return dims.reduce((product, size) => product * size, 1);
}
