// The noise schedule: betas, alphas and their products, in float64 from the formulas.

import { replaceValues } from "../kernels/elementwise.js";
import type { Instance } from "../module/instance.js";
import { allocateArray } from "../tensor/dtype.js";
import type { BetaSchedule } from "./options.js";

/** Tables of T entries each. */
export interface Tables {
  readonly betas: InstanceType<typeof Float64Array>;
  readonly alphas: InstanceType<typeof Float64Array>;
  readonly alphasCumprod: InstanceType<typeof Float64Array>;
}

/** The options that decide the tables. */
export interface TableOptions {
  readonly numTrainTimesteps: number;
  readonly betaStart: number;
  readonly betaEnd: number;
  readonly betaSchedule: BetaSchedule;
  readonly trainedBetas: readonly number[] | null;
  readonly rescaleBetasZeroSnr: boolean;
}

/** The tables of a configuration. @throws RangeError when a beta lies outside (0, 1); only the last may be 1. */
export function makeTables(core: Instance, config: TableOptions): Tables {
  const betas = makeBetas(core, config);
  const total = betas.length;
  const tables = { betas, alphas: new Float64Array(total), alphasCumprod: new Float64Array(total) };
  multiply(tables);
  if (config.rescaleBetasZeroSnr) rescaleZeroSnr(tables);
  return tables;
}

function makeBetas(core: Instance, config: TableOptions): Tables["betas"] {
  const { numTrainTimesteps: total, betaStart: start, betaEnd: end, trainedBetas } = config;
  if (trainedBetas) return Float64Array.from(trainedBetas);
  const betas = allocateArray(Float64Array, total, "numTrainTimesteps");
  switch (config.betaSchedule) {
    case "linear":
      linspace(betas, start, end);
      break;
    case "scaled_linear":
      linspace(betas, Math.sqrt(start), Math.sqrt(end));
      for (let i = 0; i < total; i++) betas[i] = betas[i]! ** 2;
      break;
    case "squaredcos_cap_v2":
      setCosineBetas(core, betas);
      break;
    case "sigmoid":
      linspace(betas, 6, -6);
      replaceValues(core, "exponentials", betas);
      for (let i = 0; i < total; i++) betas[i] = (end - start) / (1 + betas[i]!) + start;
      break;
  }
  return betas;
}

/** As numpy.linspace: `start` alone for one point, and exactly `end` at the end. */
function linspace(points: Float64Array, start: number, end: number): void {
  const last = points.length - 1;
  const stride = (end - start) / last;
  for (let i = 0; i < last; i++) points[i] = start + i * stride;
  points[last] = end;
  points[0] = start;
}

/** Improved DDPM, arXiv 2102.09672, formula 17: f(u) = cos((u + 0.008) / 1.008 * pi / 2)^2, capped at 0.999. */
function setCosineBetas(core: Instance, betas: Float64Array): void {
  const total = betas.length;
  const cosines = new Float64Array(total + 1);
  for (let i = 0; i <= total; i++) cosines[i] = ((i / total + 0.008) / 1.008) * (Math.PI / 2);
  replaceValues(core, "cosines", cosines);
  for (let i = 0; i < total; i++) betas[i] = Math.min(1 - cosines[i + 1]! ** 2 / cosines[i]! ** 2, 0.999);
}

/** Fills alphas and their products from the betas. */
function multiply({ betas, alphas, alphasCumprod }: Tables): void {
  let product = 1;
  for (let i = 0; i < betas.length; i++) {
    const alpha = 1 - betas[i]!;
    checkBeta(betas, i, alpha);
    alphas[i] = alpha;
    alphasCumprod[i] = product *= alpha;
  }
}

/** arXiv 2305.08891, algorithm 1: shift and scale sqrt(alphasCumprod) so that it ends at 0 and begins where it began. */
function rescaleZeroSnr({ betas, alphas, alphasCumprod }: Tables): void {
  const first = Math.sqrt(alphasCumprod[0]!);
  const last = Math.sqrt(alphasCumprod[alphasCumprod.length - 1]!);
  let previous = 1;
  for (let i = 0; i < betas.length; i++) {
    const scaled = ((Math.sqrt(alphasCumprod[i]!) - last) * first) / (first - last);
    alphasCumprod[i] = scaled * scaled;
    const alpha = alphasCumprod[i]! / previous;
    alphas[i] = alpha;
    betas[i] = 1 - alpha;
    checkBeta(betas, i, alpha);
    previous = alphasCumprod[i]!;
  }
}

/** Refuses alphas rather than betas: a beta so small that 1 - beta is 1 would make no noise at all. */
function checkBeta(betas: Float64Array, i: number, alpha: number): void {
  if (alpha < 1 && (alpha > 0 || (alpha === 0 && i === betas.length - 1))) return;
  const beta = betas[i]!;
  const reason = beta > 0 && beta < 1 ? "1 - beta rounds to 1" : "each lies in (0, 1), and only the last may be 1";
  throw new RangeError(`beta ${i} of the schedule expected more than 0 and less than 1, got ${beta}: ${reason}`);
}
