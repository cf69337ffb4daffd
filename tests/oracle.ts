// The scheduler's mathematics in plain float64, one element at a time: what the tests hold the library against.
// Written from the papers: DDIM arXiv 2010.02502, progressive distillation 2202.00512, Imagen 2205.11487, zero
// terminal SNR 2305.08891.

import type { DDIMSchedulerOptions } from "ddim-wasm";

type Complete = { [K in keyof DDIMSchedulerOptions]-?: Exclude<DDIMSchedulerOptions[K], undefined> };

const DEFAULTS: Complete = {
  numTrainTimesteps: 1000,
  betaStart: 0.0001,
  betaEnd: 0.02,
  betaSchedule: "squaredcos_cap_v2",
  trainedBetas: null,
  predictionType: "epsilon",
  clipSample: true,
  clipSampleRange: 1,
  thresholding: false,
  sampleMaxValue: 1,
  dynamicThresholdingRatio: 0.995,
  rescaleBetasZeroSnr: false,
  timestepSpacing: "leading",
  stepsOffset: 0,
  setAlphaToOne: true,
  previousTimestep: "stride",
  computeDtype: "float32",
};

/** What a step of the oracle takes; timesteps are given for every batch element. */
export interface OracleStep {
  modelOutput: ArrayLike<number>;
  sample: ArrayLike<number>;
  /** t of each batch element. */
  timesteps: readonly number[];
  /** p of each batch element; negative for the final alpha product. */
  previous: readonly number[];
  eta?: number;
  useClippedModelOutput?: boolean;
  /** The model output is the unconditional batch, then the conditional one. */
  guidanceScale?: number | undefined;
  noise?: ArrayLike<number> | undefined;
}

export class Oracle {
  readonly config: Complete;
  readonly betas: number[];
  readonly alphasCumprod: number[];

  constructor(options: DDIMSchedulerOptions = {}) {
    this.config = { ...DEFAULTS, ...(options as Partial<Complete>) };
    this.betas = makeBetas(this.config);
    let product = 1;
    this.alphasCumprod = this.betas.map((beta) => (product *= 1 - beta));
    if (this.config.rescaleBetasZeroSnr) this.#rescale();
  }

  /** 2305.08891, algorithm 1. */
  #rescale(): void {
    const roots = this.alphasCumprod.map(Math.sqrt);
    const first = roots[0]!;
    const last = roots.at(-1)!;
    roots.forEach((root, i) => {
      this.alphasCumprod[i] = (((root - last) * first) / (first - last)) ** 2;
      this.betas[i] = 1 - this.alphasCumprod[i]! / (i === 0 ? 1 : this.alphasCumprod[i - 1]!);
    });
  }

  /** The alpha product at a timestep, and before all of them. */
  alphaAt(timestep: number): number {
    if (timestep >= 0) return this.alphasCumprod[timestep]!;
    return this.config.setAlphaToOne ? 1 : this.alphasCumprod[0]!;
  }

  /** p of the references: floor(T / N) below t. */
  strideBefore(timestep: number, steps: number): number {
    return timestep - Math.floor(this.config.numTrainTimesteps / steps);
  }

  /** 2010.02502, formula 4, with a timestep for each batch element. */
  addNoise(original: ArrayLike<number>, noise: ArrayLike<number>, timesteps: readonly number[]): Float64Array {
    return this.#mix(
      timesteps,
      original.length,
      (i, signal, deviation) => signal * original[i]! + deviation * noise[i]!,
    );
  }

  /** 2202.00512: what v-prediction models predict. */
  getVelocity(original: ArrayLike<number>, noise: ArrayLike<number>, timesteps: readonly number[]): Float64Array {
    return this.#mix(
      timesteps,
      original.length,
      (i, signal, deviation) => signal * noise[i]! - deviation * original[i]!,
    );
  }

  #mix(
    timesteps: readonly number[],
    length: number,
    mix: (i: number, signal: number, deviation: number) => number,
  ): Float64Array {
    return Float64Array.from({ length }, (_, i) => {
      const alpha = this.alphaAt(timesteps[Math.floor((i * timesteps.length) / length)]!);
      return mix(i, Math.sqrt(alpha), Math.sqrt(1 - alpha));
    });
  }

  /** 2010.02502, formula 16. */
  sigma(timestep: number, previous: number, eta: number): number {
    const alpha = this.alphaAt(timestep);
    const target = this.alphaAt(previous);
    return eta * Math.sqrt(Math.max(0, ((1 - target) / (1 - alpha)) * (1 - alpha / target)));
  }

  /** 2010.02502, formula 12. */
  step(step: OracleStep): { prevSample: Float64Array; predOriginalSample: Float64Array } {
    const { sample, timesteps, previous, eta = 0, useClippedModelOutput = false, noise } = step;
    const prevSample = new Float64Array(sample.length);
    const predOriginalSample = new Float64Array(sample.length);
    const elementLength = sample.length / timesteps.length;
    timesteps.forEach((timestep, element) => {
      const start = element * elementLength;
      const alpha = this.alphaAt(timestep);
      const target = this.alphaAt(previous[element]!);
      const sigma = this.sigma(timestep, previous[element]!, eta);
      const direction = Math.sqrt(Math.max(0, 1 - target - sigma ** 2));

      const predictions = Array.from({ length: elementLength }, (_, i) =>
        this.#predict(sample[start + i]!, modelOutputAt(step, start + i), alpha),
      );
      const bounded = this.#bound(predictions.map(({ original }) => original));
      for (let i = 0; i < elementLength; i++) {
        const original = bounded[i]!;
        const epsilon = useClippedModelOutput
          ? (sample[start + i]! - Math.sqrt(alpha) * original) / Math.sqrt(1 - alpha)
          : predictions[i]!.epsilon;
        predOriginalSample[start + i] = original;
        prevSample[start + i] = Math.sqrt(target) * original + direction * epsilon;
        if (eta > 0) prevSample[start + i]! += sigma * noise![start + i]!;
      }
    });
    return { prevSample, predOriginalSample };
  }

  /** x_0 and eps from the sample and what the model says of it. */
  #predict(x: number, m: number, alpha: number): { original: number; epsilon: number } {
    const signal = Math.sqrt(alpha);
    const deviation = Math.sqrt(1 - alpha);
    switch (this.config.predictionType) {
      case "epsilon":
        return { original: (x - deviation * m) / signal, epsilon: m };
      case "sample":
        return { original: m, epsilon: (x - signal * m) / deviation };
      case "v_prediction":
        return { original: signal * x - deviation * m, epsilon: signal * m + deviation * x };
    }
  }

  /** Thresholds or clips the x_0 of one batch element. */
  #bound(originals: number[]): number[] {
    const { thresholding, dynamicThresholdingRatio, sampleMaxValue, clipSample, clipSampleRange } = this.config;
    if (thresholding) {
      const s = Math.min(Math.max(quantile(originals.map(Math.abs), dynamicThresholdingRatio), 1), sampleMaxValue);
      return originals.map((x) => clamp(x, s) / s);
    }
    return clipSample ? originals.map((x) => clamp(x, clipSampleRange)) : originals;
  }
}

function makeBetas(config: Complete): number[] {
  const { numTrainTimesteps: T, betaStart, betaEnd, trainedBetas } = config;
  if (trainedBetas) return Array.from(trainedBetas);
  const between = (start: number, end: number) =>
    Array.from({ length: T }, (_, i) => (T === 1 ? start : start + ((end - start) * i) / (T - 1)));
  switch (config.betaSchedule) {
    case "linear":
      return between(betaStart, betaEnd);
    case "scaled_linear":
      return between(Math.sqrt(betaStart), Math.sqrt(betaEnd)).map((root) => root ** 2);
    case "squaredcos_cap_v2": {
      const f = (u: number) => Math.cos((((u + 0.008) / 1.008) * Math.PI) / 2) ** 2;
      return Array.from({ length: T }, (_, i) => Math.min(1 - f((i + 1) / T) / f(i / T), 0.999));
    }
    case "sigmoid":
      return between(-6, 6).map((x) => (1 / (1 + Math.exp(-x))) * (betaEnd - betaStart) + betaStart);
  }
}

/** Classifier-free guidance, of one element. */
function modelOutputAt({ modelOutput, guidanceScale, sample }: OracleStep, i: number): number {
  if (guidanceScale === undefined) return modelOutput[i]!;
  const unconditional = modelOutput[i]!;
  return unconditional + guidanceScale * (modelOutput[sample.length + i]! - unconditional);
}

/** Linear interpolation between the order statistics. */
export function quantile(values: ArrayLike<number>, ratio: number): number {
  const sorted = Float64Array.from(values);
  sorted.sort();
  const rank = ratio * (sorted.length - 1);
  const low = sorted[Math.floor(rank)]!;
  return low + (sorted[Math.ceil(rank)]! - low) * (rank - Math.floor(rank));
}

function clamp(x: number, bound: number): number {
  return Math.min(Math.max(x, -bound), bound);
}
