// The scheduler's mathematics in plain float64, one element at a time: what the tests hold the library against.
// Written from the papers: DDIM arXiv 2010.02502, progressive distillation 2202.00512, Imagen 2205.11487, zero
// terminal SNR 2305.08891.
//
// Beside each value goes the magnitude of the terms that it is the sum of: float32 arithmetic errs in proportion to
// these, whatever is left when they cancel.

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
  guidanceRescale?: number | undefined;
  noise?: ArrayLike<number> | undefined;
}

export interface OracleResult {
  prevSample: Float64Array;
  predOriginalSample: Float64Array;
  /** The magnitude of the terms of each element of `prevSample`, and of `predOriginalSample`. */
  prevMagnitudes: Float64Array;
  originalMagnitudes: Float64Array;
}

/** A value and the magnitude of its terms. */
interface Sum {
  value: number;
  magnitude: number;
}

const exact = (value: number): Sum => ({ value, magnitude: Math.abs(value) });
const plus = (a: Sum, b: Sum): Sum => ({ value: a.value + b.value, magnitude: a.magnitude + b.magnitude });
const times = (factor: number, a: Sum): Sum => ({
  value: factor * a.value,
  magnitude: Math.abs(factor) * a.magnitude,
});

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
  step(step: OracleStep): OracleResult {
    const { sample, timesteps, previous, eta = 0, useClippedModelOutput = false, noise } = step;
    const { length } = sample;
    const result = {
      prevSample: new Float64Array(length),
      predOriginalSample: new Float64Array(length),
      prevMagnitudes: new Float64Array(length),
      originalMagnitudes: new Float64Array(length),
    };
    const elementLength = length / timesteps.length;
    timesteps.forEach((timestep, element) => {
      const start = element * elementLength;
      const alpha = this.alphaAt(timestep);
      const target = this.alphaAt(previous[element]!);
      const sigma = this.sigma(timestep, previous[element]!, eta);
      const direction = Math.sqrt(Math.max(0, 1 - target - sigma ** 2));

      const predictions = guide(step, start, elementLength).map((m, i) =>
        this.#predict(exact(sample[start + i]!), m, alpha),
      );
      const originals = this.#bound(predictions.map(({ original }) => original));
      originals.forEach((original, i) => {
        const at = start + i;
        const epsilon = useClippedModelOutput
          ? times(1 / Math.sqrt(1 - alpha), plus(exact(sample[at]!), times(-Math.sqrt(alpha), original)))
          : predictions[i]!.epsilon;
        let previousSample = plus(times(Math.sqrt(target), original), times(direction, epsilon));
        if (eta > 0) previousSample = plus(previousSample, times(sigma, exact(noise![at]!)));
        result.prevSample[at] = previousSample.value;
        result.prevMagnitudes[at] = previousSample.magnitude;
        result.predOriginalSample[at] = original.value;
        result.originalMagnitudes[at] = original.magnitude;
      });
    });
    return result;
  }

  /** x_0 and eps from the sample and what the model says of it. */
  #predict(x: Sum, m: Sum, alpha: number): { original: Sum; epsilon: Sum } {
    const signal = Math.sqrt(alpha);
    const deviation = Math.sqrt(1 - alpha);
    switch (this.config.predictionType) {
      case "epsilon":
        return { original: times(1 / signal, plus(x, times(-deviation, m))), epsilon: m };
      case "sample":
        return { original: m, epsilon: times(1 / deviation, plus(x, times(-signal, m))) };
      case "v_prediction":
        return {
          original: plus(times(signal, x), times(-deviation, m)),
          epsilon: plus(times(signal, m), times(deviation, x)),
        };
    }
  }

  /** Thresholds or clips the x_0 of one batch element. */
  #bound(originals: Sum[]): Sum[] {
    const { thresholding, clipSample, clipSampleRange } = this.config;
    if (thresholding) return this.#threshold(originals);
    return clipSample ? originals.map((x) => clamp(x, clipSampleRange)) : originals;
  }

  /** 2205.11487, section 2.3. */
  #threshold(originals: Sum[]): Sum[] {
    const { dynamicThresholdingRatio, sampleMaxValue } = this.config;
    const dynamic = quantile(
      originals.map(({ value }) => Math.abs(value)),
      dynamicThresholdingRatio,
    );
    const s = Math.min(Math.max(dynamic, 1), sampleMaxValue);
    const threshold = { value: s, magnitude: s === dynamic ? largest(originals) : 0 };
    return originals.map((x) => divide(clamp(x, s), threshold));
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

/** The model output of one batch element, with classifier-free guidance and 2305.08891, section 3.4. */
function guide(step: OracleStep, start: number, length: number): Sum[] {
  const { modelOutput, sample, guidanceScale, guidanceRescale = 0 } = step;
  const part = (from: number) => Array.from({ length }, (_, i) => exact(modelOutput[from + i]!));
  const unconditional = part(start);
  if (guidanceScale === undefined) return unconditional;
  const conditional = part(sample.length + start);
  const guided = unconditional.map((m, i) => plus(m, times(guidanceScale, plus(conditional[i]!, times(-1, m)))));
  if (guidanceRescale === 0) return guided;
  const wanted = deviation(conditional);
  const got = deviation(guided);
  const ratio =
    wanted > 0 && got > 0
      ? { value: wanted / got, magnitude: (wanted / got) * (largest(guided) / got) }
      : { value: 1, magnitude: 0 };
  return guided.map((m) => plus(times(guidanceRescale, multiply(m, ratio)), times(1 - guidanceRescale, m)));
}

function deviation(sums: Sum[]): number {
  const mean = sums.reduce((total, { value }) => total + value, 0) / sums.length;
  return Math.sqrt(sums.reduce((total, { value }) => total + (value - mean) ** 2, 0) / sums.length);
}

/** Linear interpolation between the order statistics. */
export function quantile(values: ArrayLike<number>, ratio: number): number {
  const sorted = Float64Array.from(values);
  sorted.sort();
  const rank = ratio * (sorted.length - 1);
  const low = sorted[Math.floor(rank)]!;
  return low + (sorted[Math.ceil(rank)]! - low) * (rank - Math.floor(rank));
}

/** What lies beyond the bound has no error left, unless by so little that float32 may not see it there. */
function clamp({ value, magnitude }: Sum, bound: number): Sum {
  const beyond = Math.abs(value) - bound;
  return {
    value: Math.min(Math.max(value, -bound), bound),
    magnitude: beyond > 1e-6 * magnitude ? bound : magnitude,
  };
}

/** A factor of magnitude 0 is exact. */
function multiply(a: Sum, b: Sum): Sum {
  const value = a.value * b.value;
  return { value, magnitude: a.magnitude * Math.abs(b.value) + Math.abs(a.value) * b.magnitude };
}

function divide(a: Sum, b: Sum): Sum {
  return multiply(a, { value: 1 / b.value, magnitude: b.magnitude / b.value ** 2 });
}

function largest(sums: Sum[]): number {
  return sums.reduce((most, { magnitude }) => Math.max(most, magnitude), 0);
}
