// Scalars of the one formula that the update kernel computes:
//
//     x0   = clamp(w (k x + l m), -r, r)                         r = Infinity: not clamped
//     prev = clamp(u (p x + q m), -s, s) + b x + c m + d noise   s = 0: without the first term
//
// x is the sample, m the model's output.

import type { Instance } from "../module/instance.js";

/** In float64; rounded once, when they are handed to the module. */
export class Coefficients {
  // NaN, not 0: the fields hold float64 from the beginning.
  k = NaN;
  l = NaN;
  w = NaN;
  r = NaN;
  p = NaN;
  q = NaN;
  u = NaN;
  s = NaN;
  b = NaN;
  c = NaN;
  d = NaN;
}

/** The largest float32: a larger factor would make NaN of 0. */
const LARGEST = 2 ** 127 * (2 - 2 ** -23);

/** Divides x0 by a threshold, whose NaN spreads to a result in which x0 has no share. */
export function setThreshold(coefficients: Coefficients, threshold: number): void {
  coefficients.w = Math.min(coefficients.w / threshold, LARGEST);
  coefficients.u = Math.max(-LARGEST, Math.min(coefficients.u / threshold, LARGEST));
  if (Number.isNaN(threshold)) coefficients.b = NaN;
}

/** Multiplies the model output by a factor. */
export function scaleModelOutput(coefficients: Coefficients, factor: number): void {
  coefficients.l *= factor;
  coefficients.q *= factor;
  coefficients.c *= factor;
}

/** Numbers in a record, in the order of assembly/update.ts. */
const FIELDS = 11;

/** Stores the coefficients of batch element `index` of a call. */
export function storeRecord({ records }: Instance, index: number, coefficients: Coefficients): void {
  const at = index * FIELDS;
  records[at] = coefficients.k;
  records[at + 1] = coefficients.l;
  records[at + 2] = coefficients.w;
  records[at + 3] = coefficients.r;
  records[at + 4] = coefficients.p;
  records[at + 5] = coefficients.q;
  records[at + 6] = coefficients.u;
  records[at + 7] = coefficients.s;
  records[at + 8] = coefficients.b;
  records[at + 9] = coefficients.c;
  records[at + 10] = coefficients.d;
}

/** Stores a record with which the kernel computes x0 alone, not clamped. */
export function storePrediction({ records }: Instance, index: number, { k, l, w }: Coefficients): void {
  const at = index * FIELDS;
  records[at + 4] = k;
  records[at + 5] = l;
  records[at + 6] = w;
  records[at + 7] = Infinity;
  records[at + 8] = 0;
  records[at + 9] = 0;
}
