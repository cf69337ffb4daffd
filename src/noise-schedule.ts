// The noise schedule: betas, alphas and their products, in float64 from the formulas.

import type { DDIMSchedulerConfig } from "./config.js";
import { replaceValues } from "./staging.js";

/** Tables of T entries each. */
export interface NoiseSchedule {
  readonly betas: Float64Array;
  readonly alphas: Float64Array;
  readonly alphasCumprod: Float64Array;
}

/** The tables of a configuration. @throws RangeError when a beta lies outside (0, 1); only the last may be 1. */
export function makeNoiseSchedule(config: DDIMSchedulerConfig): NoiseSchedule {
  const betas = makeBetas(config);
  const alphas = betas.map((beta) => 1 - beta);
  checkAlphas(betas, alphas);
  const alphasCumprod = cumulativeProduct(alphas);
  if (config.rescaleBetasZeroSnr) {
    rescaleZeroSnr(betas, alphas, alphasCumprod);
    checkAlphas(betas, alphas);
  }
  return { betas, alphas, alphasCumprod };
}

function makeBetas(config: DDIMSchedulerConfig): Float64Array {
  const { numTrainTimesteps: count, betaStart: start, betaEnd: end, trainedBetas } = config;
  if (trainedBetas) return Float64Array.from(trainedBetas);
  switch (config.betaSchedule) {
    case "linear":
      return linspace(start, end, count);
    case "scaled_linear":
      return linspace(Math.sqrt(start), Math.sqrt(end), count).map((root) => root * root);
    case "squaredcos_cap_v2":
      return cosineBetas(count);
    case "sigmoid":
      return replaceValues("exponentials", linspace(6, -6, count)).map((power) => (end - start) / (1 + power) + start);
  }
}

/** As numpy.linspace: `start` alone for one point, and exactly `end` at the end. */
function linspace(start: number, end: number, count: number): Float64Array {
  const points = new Float64Array(count);
  const stride = (end - start) / (count - 1);
  for (let i = 0; i < count; i++) points[i] = start + i * stride;
  points[count - 1] = end;
  points[0] = start;
  return points;
}

/** Improved DDPM, arXiv 2102.09672, formula 17: f(u) = cos((u + 0.008) / 1.008 * pi / 2)^2, capped at 0.999. */
function cosineBetas(count: number): Float64Array {
  const angles = new Float64Array(count + 1).map((_, i) => ((i / count + 0.008) / 1.008) * (Math.PI / 2));
  const products = replaceValues("cosines", angles).map((cosine) => cosine ** 2);
  return products.subarray(1).map((product, i) => Math.min(1 - product / products[i]!, 0.999));
}

function cumulativeProduct(alphas: Float64Array): Float64Array {
  let product = 1;
  return alphas.map((alpha) => (product *= alpha));
}

/** arXiv 2305.08891, algorithm 1: shift and scale sqrt(alphasCumprod) so that it ends at 0 and begins where it began. */
function rescaleZeroSnr(betas: Float64Array, alphas: Float64Array, alphasCumprod: Float64Array): void {
  const roots = alphasCumprod.map(Math.sqrt);
  const first = roots[0]!;
  const last = roots[roots.length - 1]!;
  let previous = 1;
  roots.forEach((root, i) => {
    const scaled = ((root - last) * first) / (first - last);
    alphasCumprod[i] = scaled * scaled;
    alphas[i] = alphasCumprod[i]! / previous;
    betas[i] = 1 - alphas[i]!;
    previous = alphasCumprod[i]!;
  });
}

/** Alphas rather than betas: a beta so small that 1 - beta is 1 would make no noise at all. */
function checkAlphas(betas: Float64Array, alphas: Float64Array): void {
  const lastIndex = alphas.length - 1;
  const index = alphas.findIndex((alpha, i) => !((alpha > 0 || (alpha === 0 && i === lastIndex)) && alpha < 1));
  if (index < 0) return;
  throw new RangeError(
    `beta ${index} of the schedule is ${betas[index]}; each lies in (0, 1), and only the last may be 1`,
  );
}
