// The mathematics of a step, as the scalars of the one formula that the kernels compute:
//
//     x0   = clamp(w (x + q m), -r, r)             r = 0: not clamped; w q m alone where x has no share in it
//     prev = a x0 + b x + c m + d noise
//
// x is the sample, m the model's output. Everything here is float64.

import type { PredictionType } from "./config.js";

/** Coefficients of the formula above. */
export class Coefficients {
  /** Whether x has a share in x0. */
  withSample = true;
  // NaN, not 0: the fields hold float64 from the beginning.
  q = NaN;
  w = NaN;
  r = NaN;
  a = NaN;
  b = NaN;
  c = NaN;
  d = NaN;
}

/** The square root; 0 for what rounding, or a step to a noisier timestep, has made negative or undefined. */
export function root(radicand: number): number {
  return radicand > 0 ? Math.sqrt(radicand) : 0;
}

/** sigma of DDIM, arXiv 2010.02502, formula 16: eta = 0 is DDIM, eta = 1 is DDPM. */
export function standardDeviation(alpha: number, alphaTarget: number, eta: number): number {
  return eta * root(((1 - alphaTarget) / (1 - alpha)) * (1 - alpha / alphaTarget));
}

/**
 * Whether epsilon prediction can be solved for x0 at this alpha product. At 0 there is only noise; near it, 1 over
 * the root leaves the range of float32.
 */
export function epsilonIsSolvable(alpha: number): boolean {
  return Math.fround(1 / Math.sqrt(alpha)) < Infinity;
}

/** The share of x below which it is left out: dividing by less would leave the range of float32. */
const NEGLIGIBLE = 2 ** -60;

/**
 * The coefficients of a step from the level of noise `alpha` to `alphaTarget` (arXiv 2010.02502, formula 12):
 *
 *     prev = sqrt(alphaTarget) x0 + sqrt(1 - alphaTarget - sigma^2) eps + sigma noise
 *
 * @param range bound of the clamp of x0; 0 for none. Thresholding sets it to 1 and divides `w` by its threshold.
 * @param rederive take eps from the clamped x0, as (x - sqrt(alpha) x0) / sqrt(1 - alpha)
 */
export function setStep(
  into: Coefficients,
  predictionType: PredictionType,
  alpha: number,
  alphaTarget: number,
  sigma: number,
  range: number,
  rederive: boolean,
): void {
  const signal = Math.sqrt(alpha);
  const noise = root(1 - alpha);
  const targetSignal = Math.sqrt(alphaTarget);
  const direction = root(1 - alphaTarget - sigma * sigma);

  // x0 = originalX x + originalM m, eps = epsX x + epsM m
  let originalX: number, originalM: number, epsX: number, epsM: number;
  switch (predictionType) {
    case "epsilon":
      originalX = 1 / signal;
      originalM = -noise / signal;
      epsX = 0;
      epsM = 1;
      break;
    case "sample":
      originalX = 0;
      originalM = 1;
      epsX = 1 / noise;
      epsM = -signal / noise;
      break;
    case "v_prediction":
      originalX = signal;
      originalM = -noise;
      epsX = noise;
      epsM = signal;
      break;
  }

  // Factored out, so that x and q m cancel before they are magnified, not after.
  into.withSample = originalX > NEGLIGIBLE;
  into.w = into.withSample ? originalX : 1;
  into.q = originalM / into.w;
  into.r = range;
  into.d = sigma;
  if (range === 0) {
    into.a = 0;
    into.b = targetSignal * originalX + direction * epsX;
    into.c = targetSignal * originalM + direction * epsM;
  } else if (rederive) {
    into.a = targetSignal - (direction * signal) / noise;
    into.b = direction / noise;
    into.c = 0;
  } else {
    into.a = targetSignal;
    into.b = direction * epsX;
    into.c = direction * epsM;
  }
}

/** Multiplies the model output by a factor. */
export function scaleModelOutput(into: Coefficients, factor: number): void {
  into.q *= factor;
  into.c *= factor;
}

/** The coefficients of out = b x + c m, without a prediction. */
export function setCombination(into: Coefficients, b: number, c: number): void {
  into.withSample = false;
  into.q = into.w = into.r = into.a = into.d = 0;
  into.b = b;
  into.c = c;
}
