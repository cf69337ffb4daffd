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
 * Up to which sum of |b| and |c| the two-term form b x + c m is as good as the one that takes a difference first.
 *
 * Its coefficients and products are rounded by at most 2^-24 each, relatively, so that its error is at most
 * 2^-23 (|b x| + |c m|), plus the rounding of the result: up to 4, that is 2^-21 = 4.8e-7 times the larger of |x| and |m|
 * at worst. Beyond, x and m nearly cancel (a step from the end of a cosine schedule has b = 1,600, one of an inversion
 * away from the image b = 30), and what cancels must do so before it is magnified. (The unclipped golden cases are at
 * most 1.2e-7 off with this bound, and 1.6e-7 where the difference always comes first.)
 */
const WELL_CONDITIONED = 4;

/**
 * Sets the coefficients of a step from the level of noise `alpha`.
 *
 * @param range bound of the clamp of x0; Infinity for none. Under thresholding it is 1, and x0 is divided later
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
  const { sample, eps } = mixture;
  let { original } = mixture;
  // x0 = w (k x + l m), eps = epsX x + epsM m
  let epsX: number, epsM: number;
  switch (predictionType) {
    case "epsilon":
      into.k = 1;
      into.l = -noise;
      into.w = 1 / signal;
      epsX = 0;
      epsM = 1;
      break;
    case "sample":
      into.k = 0;
      into.l = 1;
      into.w = 1;
      epsX = 1 / noise;
      epsM = -signal / noise;
      break;
    case "v_prediction":
      into.k = signal;
      into.l = -noise;
      into.w = 1;
      epsX = noise;
      epsM = signal;
      break;
  }
  into.r = range;
  into.d = mixture.noise;
  const clamped = range !== Infinity;
  if (clamped && rederive) {
    original -= (eps * signal) / noise;
    epsX = 1 / noise;
    epsM = 0;
  }
  // The share of x0, and those of x and m.
  into.p = into.k;
  into.q = into.l;
  into.u = original * into.w;
  into.s = original === 0 ? 0 : Math.abs(original) * range;
  into.b = sample + eps * epsX;
  into.c = eps * epsM;
  if (!clamped) {
    const b = into.b + into.u * into.k;
    const c = into.c + into.u * into.l;
    if (Math.abs(b) + Math.abs(c) <= WELL_CONDITIONED) {
      into.s = 0;
      into.b = b;
      into.c = c;
    } else if (predictionType === "sample") {
      // It is eps that magnifies: (x - signal m) / noise.
      into.p = 1;
      into.q = -signal;
      into.u = eps / noise;
      into.s = Infinity;
      into.b = sample;
      into.c = original;
    }
  }
}

/** The coefficients of out = b x + c m, without a prediction. */
export function setCombination(into: Coefficients, b: number, c: number): void {
  into.k = into.l = into.w = into.r = into.p = into.q = into.u = into.s = into.d = 0;
  into.b = b;
  into.c = c;
}
