// The mathematics of a step: from levels of noise to the coefficients of the kernels' formula. Everything here is float64.

import type { Coefficients } from "../kernels/coefficients.js";
import type { PredictionType } from "./options.js";

/**
 * What a step makes of the predicted original sample x0, the sample x, the predicted noise eps, and noise (or whatever
 * takes its place):
 *
 *     prev = original x0 + sample x + eps eps + noise noise
 */
export class Mixture {
  original = 0;
  sample = 0;
  eps = 0;
  noise = 0;

  set(original: number, sample: number, eps: number, noise: number): void {
    this.original = original;
    this.sample = sample;
    this.eps = eps;
    this.noise = noise;
  }
}

/** The square root; 0 for what rounding, or a step to a noisier timestep, has made negative or undefined. */
export function root(radicand: number): number {
  return radicand > 0 ? Math.sqrt(radicand) : 0;
}

/**
 * Whether epsilon prediction can be solved for x0 at this alpha product. At 0 there is only noise; near it, 1 over
 * the root leaves the range of float32.
 */
export function epsilonIsSolvable(alpha: number): boolean {
  return Math.fround(1 / Math.sqrt(alpha)) < Infinity;
}

/**
 * Up to which sum of |b| and |c| the two-term form b x + c m is as good as the one in which x0 comes first.
 *
 * Its two coefficients and two products are rounded, each by a relative 2^-25 or less of float32's 2^-24, so that its
 * error is at most 2^-24 (|b x| + |c m|), plus the rounding of the result. Up to 4, that is 2^-22 = 2.4e-7 times the
 * larger of |x| and |m|: two bits are lost at most. Beyond, x and m nearly cancel (a step from the last timesteps of a
 * cosine schedule has b = 1,600), and what cancels must do so before it is magnified, in x + q m.
 */
const WELL_CONDITIONED = 4;

/**
 * Sets the coefficients of a step from the level of noise `alpha`.
 *
 * @param range bound of the clamp of x0; Infinity for none. Under thresholding it is 1, and `w` is divided later
 * @param rederive take eps from the clamped x0, as (x - sqrt(alpha) x0) / sqrt(1 - alpha)
 */
export function setStep(
  into: Coefficients,
  predictionType: PredictionType,
  alpha: number,
  mixture: Mixture,
  range: number,
  rederive: boolean,
): void {
  const signal = Math.sqrt(alpha);
  const noise = root(1 - alpha);
  // x0 = w (p x + q m), eps = epsX x + epsM m
  let epsX: number, epsM: number;
  switch (predictionType) {
    case "epsilon":
      into.p = 1;
      into.q = -noise;
      into.w = 1 / signal;
      epsX = 0;
      epsM = 1;
      break;
    case "sample":
      into.p = 0;
      into.q = 1;
      into.w = 1;
      epsX = 1 / noise;
      epsM = -signal / noise;
      break;
    case "v_prediction":
      into.p = signal;
      into.q = -noise;
      into.w = 1;
      epsX = noise;
      epsM = signal;
      break;
  }
  into.r = range;
  into.d = mixture.noise;
  const clamped = range !== Infinity;
  if (clamped && rederive) {
    into.a = mixture.original - (mixture.eps * signal) / noise;
    into.b = mixture.sample + mixture.eps / noise;
    into.c = 0;
    return;
  }
  into.a = mixture.original;
  into.b = mixture.sample + mixture.eps * epsX;
  into.c = mixture.eps * epsM;
  if (!clamped) collapse(into);
}

/** Replaces the term of x0, where it is not clamped and loses nothing, by its shares of x and m: one pass less. */
function collapse(into: Coefficients): void {
  const share = into.a * into.w;
  const b = into.b + share * into.p;
  const c = into.c + share * into.q;
  if (!(Math.abs(b) + Math.abs(c) <= WELL_CONDITIONED)) return;
  into.a = 0;
  into.b = b;
  into.c = c;
}

/** The coefficients of out = b x + c m, without a prediction. */
export function setCombination(into: Coefficients, b: number, c: number): void {
  into.p = into.q = into.w = into.a = into.d = 0;
  into.r = Infinity;
  into.b = b;
  into.c = c;
}
