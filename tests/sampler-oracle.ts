// LCM, TCD and DPM-Solver++ in plain float64: what the tests hold the library against. Written from the papers: LCM
// 2310.04378, TCD 2402.19159, DPM-Solver++ 2211.01095. Timesteps are numpy's, as diffusers makes them.

import type { DDIMSchedulerOptions } from "ddim-wasm";
import { Oracle, quantile } from "./oracle.js";

export interface SamplerOptions extends DDIMSchedulerOptions {
  originalInferenceSteps?: number | null;
  timestepScaling?: number;
  solverOrder?: 1 | 2;
  solverType?: "midpoint" | "heun";
  lowerOrderFinal?: boolean;
  eulerAtFinal?: boolean;
  finalSigmasType?: "zero" | "sigma_min";
}

/** A step of one batch element. */
export interface SamplerStep {
  modelOutput: ArrayLike<number>;
  sample: ArrayLike<number>;
  t: number;
  /** The next timestep, or null for a last step. */
  p: number | null;
  noise?: ArrayLike<number>;
  eta?: number;
  /** How many steps the run has. */
  steps?: number;
  before?: { x0: ArrayLike<number>; t: number };
}

export interface SamplerResult {
  prev: Float64Array;
  original: Float64Array;
}

/** numpy.linspace(start, stop, count, endpoint). */
function linspace(start: number, stop: number, count: number, endpoint = true): number[] {
  const step = (stop - start) / (endpoint ? count - 1 : count);
  const values = Array.from({ length: count }, (_, i) => i * step + start);
  if (endpoint && count > 1) values[count - 1] = stop;
  return values;
}

/** numpy.round. */
function rint(x: number): number {
  const lower = Math.floor(x);
  const rest = x - lower;
  if (rest < 0.5) return lower;
  if (rest > 0.5) return lower + 1;
  return lower % 2 === 0 ? lower : lower + 1;
}

/** The steps of distillation, and those of a run among them. */
export function distilledTimesteps(T: number, original: number | null, steps: number, strength = 1): number[] {
  const count = original ?? T;
  const k = Math.floor(T / count);
  const origin = Array.from({ length: Math.trunc(count * strength) }, (_, i) => (i + 1) * k - 1).reverse();
  return linspace(0, origin.length, steps, false).map((index) => origin[Math.floor(index)]!);
}

export function dpmTimesteps(
  T: number,
  spacing: "linspace" | "leading" | "trailing",
  steps: number,
  offset = 0,
): number[] {
  switch (spacing) {
    case "linspace":
      return linspace(0, T - 1, steps + 1)
        .map(rint)
        .reverse()
        .slice(0, -1);
    case "leading": {
      const ratio = Math.floor(T / (steps + 1));
      return Array.from({ length: steps + 1 }, (_, i) => i * ratio)
        .reverse()
        .slice(0, -1)
        .map((t) => t + offset);
    }
    case "trailing": {
      // numpy.arange(T, 0, -ratio) steps by the difference of its first two values.
      const delta = T - T / steps - T;
      return Array.from({ length: steps }, (_, i) => rint(T + i * delta) - 1);
    }
  }
}

export class SamplerOracle {
  readonly #options: SamplerOptions;
  readonly #levels: Oracle;

  /** @param options complete but for what DDIM shares */
  constructor(options: SamplerOptions) {
    this.#options = options;
    this.#levels = new Oracle({ clipSample: false, ...options });
  }

  get alphas(): number[] {
    return this.#levels.alphasCumprod;
  }

  /** x_0 and eps of the model's output: eps of x_0 before any bound. */
  #predict(step: SamplerStep, alpha: number): { x0: number[]; eps: number[] } {
    const { predictionType = "epsilon" } = this.#options;
    const signal = Math.sqrt(alpha);
    const sigma = Math.sqrt(1 - alpha);
    const x = Array.from(step.sample);
    const m = Array.from(step.modelOutput);
    switch (predictionType) {
      case "epsilon":
        return { x0: x.map((xi, i) => (xi - sigma * m[i]!) / signal), eps: m };
      case "sample":
        return { x0: m, eps: x.map((xi, i) => (xi - signal * m[i]!) / sigma) };
      case "v_prediction":
        return {
          x0: x.map((xi, i) => signal * xi - sigma * m[i]!),
          eps: x.map((xi, i) => signal * m[i]! + sigma * xi),
        };
    }
  }

  #bound(x0: number[]): number[] {
    const {
      thresholding,
      dynamicThresholdingRatio = 0.995,
      sampleMaxValue = 1,
      clipSample,
      clipSampleRange = 1,
    } = this.#options;
    if (thresholding) {
      const s = Math.min(Math.max(quantile(x0.map(Math.abs), dynamicThresholdingRatio), 1), sampleMaxValue);
      return x0.map((x) => Math.min(Math.max(x, -s), s) / s);
    }
    return clipSample ? x0.map((x) => Math.min(Math.max(x, -clipSampleRange), clipSampleRange)) : x0;
  }

  lcm(step: SamplerStep): SamplerResult {
    const x0 = this.#bound(this.#predict(step, this.alphas[step.t]!).x0);
    const scaled = step.t * (this.#options.timestepScaling ?? 10);
    const skip = 0.5 ** 2 / (scaled ** 2 + 0.5 ** 2);
    const out = scaled / Math.sqrt(scaled ** 2 + 0.5 ** 2);
    const original = Float64Array.from(x0, (x, i) => out * x + skip * step.sample[i]!);
    if (step.p === null) return { prev: original, original };
    const alpha = this.alphas[step.p]!;
    return {
      prev: original.map((x, i) => Math.sqrt(alpha) * x + Math.sqrt(1 - alpha) * step.noise![i]!),
      original,
    };
  }

  tcd(step: SamplerStep): SamplerResult {
    const { eta = 0.3 } = step;
    const { x0, eps } = this.#predict(step, this.alphas[step.t]!);
    const p = step.p ?? 0;
    // torch multiplies an integer tensor by a number in float32.
    const atS = this.alphas[Math.floor(Float32Array.of(Float32Array.of(1 - eta)[0]! * p)[0]!)]!;
    const atP = this.alphas[p]!;
    const noised = Float64Array.from(x0, (x, i) => Math.sqrt(atS) * x + Math.sqrt(1 - atS) * eps[i]!);
    const original = Float64Array.from(x0);
    if (step.p === null || eta === 0) return { prev: noised, original };
    return {
      prev: noised.map((x, i) => Math.sqrt(atP / atS) * x + Math.sqrt(1 - atP / atS) * step.noise![i]!),
      original,
    };
  }

  /** In the paper's terms: alpha, sigma and lambda of the times s (this step's) and t (the next). */
  dpm(step: SamplerStep): SamplerResult {
    const { solverOrder = 2, solverType = "midpoint", lowerOrderFinal = true } = this.#options;
    const { eulerAtFinal = false, finalSigmasType = "zero", rescaleBetasZeroSnr = false } = this.#options;
    const products = this.alphas.slice();
    if (rescaleBetasZeroSnr) products[products.length - 1] = 2 ** -24;
    const level = (product: number) => {
      const alpha = Math.sqrt(product);
      const sigma = Math.sqrt(1 - product);
      return { alpha, sigma, lambda: Math.log(alpha) - Math.log(sigma) };
    };
    const s = level(products[step.t]!);
    const t = level(step.p === null ? (finalSigmasType === "zero" ? 1 : products[0]!) : products[step.p]!);
    const x0 = this.#bound(this.#predict(step, products[step.t]!).x0);
    const h = t.lambda - s.lambda;
    const isLast = step.p === null;
    const lowers = isLast && (eulerAtFinal || finalSigmasType === "zero" || (lowerOrderFinal && step.steps! < 15));
    const isSecond = solverOrder === 2 && step.before !== undefined && !lowers;
    const expm1 = Math.exp(-h) - 1;
    const prev = Float64Array.from(x0, (d0, i) => {
      const first = (t.sigma / s.sigma) * step.sample[i]! - t.alpha * expm1 * d0;
      if (!isSecond) return first;
      const r0 = (s.lambda - level(products[step.before!.t]!).lambda) / h;
      const d1 = (d0 - step.before!.x0[i]!) / r0;
      return solverType === "midpoint" ? first - 0.5 * t.alpha * expm1 * d1 : first + t.alpha * (expm1 / h + 1) * d1;
    });
    return { prev, original: Float64Array.from(x0) };
  }
}
