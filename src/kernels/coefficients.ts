// Scalars of the one formula that the update kernel computes:
//
//     y    = p x + q m
//     x0   = clamp(w y, -r, r)             r = Infinity: not clamped
//     prev = a x0 + b x + c m + d noise    a, b and c may be 0: the term is left out
//
// x is the sample, m the model's output.

import type { Instance } from "../module/instance.js";

/** In float64; rounded once, when they are handed to the module. */
export class Coefficients {
  // NaN, not 0: the fields hold float64 from the beginning.
  p = NaN;
  q = NaN;
  w = NaN;
  r = NaN;
  a = NaN;
  b = NaN;
  c = NaN;
  d = NaN;
}

/** The largest float32: a larger factor would make NaN of 0. */
const LARGEST = 2 ** 127 * (2 - 2 ** -23);

/** Divides x0 by a threshold, whose NaN spreads to a result in which x0 has no share. */
export function setThreshold(coefficients: Coefficients, threshold: number): void {
  coefficients.w = Math.min(coefficients.w / threshold, LARGEST);
  if (Number.isNaN(threshold)) coefficients.b = NaN;
}

/** Multiplies the model output by a factor. */
export function scaleModelOutput(coefficients: Coefficients, factor: number): void {
  coefficients.q *= factor;
  coefficients.c *= factor;
}

/** Numbers in a record, in the order of assembly/update.ts. */
const FIELDS = 9;

/** Stores the coefficients of batch element `index` of a call. */
export function storeRecord({ records }: Instance, index: number, coefficients: Coefficients): void {
  const { p, q, w, r, a, b, c, d } = coefficients;
  const at = index * FIELDS;
  records[at] = p;
  records[at + 1] = q;
  records[at + 2] = w;
  records[at + 3] = r;
  records[at + 4] = a * w;
  records[at + 5] = a === 0 ? 0 : Math.abs(a) * r;
  records[at + 6] = b;
  records[at + 7] = c;
  records[at + 8] = d;
}

/** Stores a record with which the kernel computes x0 alone, not clamped. */
export function storePrediction({ records }: Instance, index: number, { p, q, w }: Coefficients): void {
  const at = index * FIELDS;
  records[at] = p;
  records[at + 1] = q;
  records[at + 4] = w;
  records[at + 5] = Infinity;
  records[at + 6] = 0;
  records[at + 7] = 0;
}
