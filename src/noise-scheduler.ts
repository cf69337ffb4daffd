// What the schedulers have in common: configuration, tables, timesteps, noising, and the step itself, in either
// direction.

import { callback, type Check, checkInteger, isArrayLike, type OptionTable, readOptions } from "./checks.js";
import {
  Coefficients,
  epsilonIsSolvable,
  root,
  scaleModelOutput,
  setCombination,
  setStep,
  standardDeviation,
} from "./coefficients.js";
import {
  type DDIMSchedulerConfig,
  type DDIMSchedulerOptions,
  exportConfig,
  importConfig,
  resolveConfig,
} from "./config.js";
import { outOfRange } from "./errors.js";
import { Generator } from "./generator.js";
import { makeNoiseSchedule } from "./noise-schedule.js";
import {
  apartFrom,
  type Operand,
  readBatch,
  readGenerators,
  readMatching,
  readOperand,
  readResult,
  readTimesteps,
  type Timesteps,
} from "./operands.js";
import { guidanceDeviationRatio, type Inputs, originalQuantile, updateTensor } from "./staging.js";
import type { ResultOf, Tensor } from "./tensor.js";
import { checkTimestepList, followers, makeTimesteps } from "./timesteps.js";

/** Options of `addNoise` and `getVelocity`. */
export interface OutOptions {
  /** A tensor of the sample's type and length that takes the result; it may be one of the inputs. */
  out?: Tensor | undefined;
}

const OUT_OPTIONS = { out: [undefined] } as const satisfies OptionTable<OutOptions>;

export const NO_OPTIONS = {};

/** How the two halves of a doubled model output are combined. */
export interface GuidanceOptions {
  /**
   * Classifier-free guidance: the model output holds the unconditional batch and after it the conditional one, and
   * uncond + guidanceScale (cond - uncond) takes its place. Any finite number.
   */
  guidanceScale?: number | undefined;
  /**
   * Share, in [0, 1], of the guided output that is brought back to the conditional one's deviation (arXiv 2305.08891,
   * section 3.4), for each batch element; one without a deviation stays as it is. Default 0.
   */
  guidanceRescale?: number | undefined;
}

/** Options that the steps of all schedulers have. */
export interface SharedStepOptions extends GuidanceOptions {
  /** The timestep on the other side of the step, or one for each batch element; negative: beyond the last one. */
  prevTimestep?: Timesteps | undefined;
  /** Return `{ prevSample, predOriginalSample }`. Default false. */
  returnDict?: boolean | undefined;
  /** A tensor of the sample's type and length that takes the result; it may be one of the inputs. */
  out?: Tensor | undefined;
}

/** What a step does, from options that have been read. */
interface Step extends ReadGuidance {
  prevTimestep: unknown;
  returnDict: boolean;
  out: unknown;
  /** From `timestep` on to more noise: the inverse of a step. */
  inverse?: boolean;
  eta?: number;
  useClippedModelOutput?: boolean;
  generator?: unknown;
  varianceNoise?: unknown;
}

/** Options of guidance that have been read. */
export interface ReadGuidance {
  guidanceScale: number | undefined;
  guidanceRescale: number;
}

/** Refuses a rescaling without guidance. */
export function checkGuidance({ guidanceScale, guidanceRescale }: ReadGuidance): void {
  if (guidanceRescale !== 0 && guidanceScale === undefined) {
    throw new TypeError('"guidanceRescale" expected guidanceScale beside it, got none');
  }
}

/** Coefficient records, kept from call to call. */
const records: Coefficients[] = [];

function recordOf(element: number): Coefficients {
  return (records[element] ??= new Coefficients());
}

/** How many records a call needs: none for an empty tensor, one where all batch elements share their coefficients. */
function countRecords(x: Operand, batch: number, shared: boolean): number {
  return x.data.length === 0 ? 0 : shared ? 1 : batch;
}

/** A scheduler, but for the direction of its steps. */
export abstract class NoiseScheduler {
  /** The complete configuration, defaults included. */
  readonly config: DDIMSchedulerConfig;
  /** The variance added by each training step: T values in (0, 1); the last may be 1. */
  readonly betas: Float64Array;
  /** 1 - betas. */
  readonly alphas: Float64Array;
  /** Products of the alphas up to each timestep: the share of the signal's variance that is left. */
  readonly alphasCumprod: Float64Array;
  /** The deviation of the noise a run starts from. */
  readonly initNoiseSigma = 1 as const;
  /** Model calls a step takes. */
  readonly order = 1 as const;

  readonly #checkTimestep: Check<number> = (name, value) => checkInteger(name, value, 0, this.alphas.length - 1);
  readonly #checkTarget: Check<number> = (name, value) => checkInteger(name, value, -Infinity, this.alphas.length - 1);
  #timesteps: Int32Array;
  #numInferenceSteps: number | null = null;
  /** The timestep below each of the list, where that is the other side of a step. */
  #below: Map<number, number> | null = null;
  /** Source of noise for those who bring none. */
  #generator: Generator | undefined;

  /**
   * @param options see {@link DDIMSchedulerOptions}
   * @throws TypeError for an unknown option or a value of the wrong kind, RangeError for a value out of bounds or a
   * schedule with a beta outside (0, 1)
   */
  constructor(options: DDIMSchedulerOptions = {}) {
    this.config = resolveConfig(options);
    const { betas, alphas, alphasCumprod } = makeNoiseSchedule(this.config);
    this.betas = betas;
    this.alphas = alphas;
    this.alphasCumprod = alphasCumprod;
    const last = this.config.numTrainTimesteps - 1;
    this.#timesteps = this.arrange(new Int32Array(last + 1).map((_, i) => last - i));
  }

  /** @internal Puts a descending list of timesteps in the order in which this scheduler visits them. */
  protected abstract arrange(descending: Int32Array): Int32Array;

  /**
   * A scheduler from a diffusers scheduler_config.json; the keys of other schedulers are ignored.
   *
   * diffusers' defaults hold for what the file leaves out: without `beta_schedule` it is "linear".
   *
   * @param config the file's text, or its parsed object
   * @param overrides options that replace those of the file
   * @param onWarning is told what was ignored, and which settings are seldom meant. Default: console.warn
   * @throws as the constructor; TypeError for text that is no JSON object
   * @example
   * import { DDIMScheduler } from "ddim-wasm";
   * const scheduler = DDIMScheduler.fromConfig('{ "beta_schedule": "scaled_linear", "clip_sample": false }');
   */
  static fromConfig<S extends NoiseScheduler>(
    this: new (options?: DDIMSchedulerOptions) => S,
    config: string | object,
    overrides: DDIMSchedulerOptions = {},
    reporting: { onWarning?: ((message: string) => void) | undefined } = {},
  ): S {
    const { onWarning } = readOptions("reporting", reporting, { onWarning: [warn, callback] as const });
    const { options, warnings } = importConfig(config, overrides);
    const scheduler = new this(options);
    for (const message of warnings) onWarning(message);
    return scheduler;
  }

  /**
   * The configuration as diffusers writes it: snake_case, with `_class_name`.
   *
   * @example
   * JSON.stringify(scheduler.toConfig()); // a scheduler_config.json
   */
  abstract toConfig(): Record<string, unknown>;

  /** @internal */
  protected exportConfig(className: string): Record<string, unknown> {
    return exportConfig(this.config, className);
  }

  /** The number of inference steps; null before setTimesteps. */
  get numInferenceSteps(): number | null {
    return this.#numInferenceSteps;
  }

  /** The timesteps of a run, in the order of its steps; all T of them before setTimesteps. */
  get timesteps(): Int32Array {
    return this.#timesteps;
  }

  /** The alpha product beyond the first training step: 1, or alphasCumprod[0] where `setAlphaToOne` is false. */
  protected get outerAlphaCumprod(): number {
    return this.config.setAlphaToOne ? 1 : this.alphasCumprod[0]!;
  }

  /**
   * Sets how many steps a run takes, or which.
   *
   * @param steps N, an integer in [1, T]; or a list of timesteps, strictly descending within [0, T - 1]
   * @throws TypeError or RangeError for anything else; the scheduler stays as it was
   * @example
   * scheduler.setTimesteps(20);
   * scheduler.setTimesteps([999, 700, 400, 100]); // a list of one's own
   */
  setTimesteps(steps: number | ArrayLike<number> | ArrayLike<bigint>): void {
    const own = isArrayLike(steps);
    const descending = own ? checkTimestepList(steps, this.config) : makeTimesteps(steps, this.config);
    this.#timesteps = this.arrange(descending);
    this.#numInferenceSteps = descending.length;
    this.#below = own || this.config.previousTimestep === "schedule" ? followers(descending) : null;
  }

  /**
   * The identity: DDIM scales no model input. For loops that serve several schedulers.
   *
   * @example
   * const modelOutput = await model(scheduler.scaleModelInput(sample, t), t);
   */
  scaleModelInput<T>(sample: T, _timestep?: Timesteps): T {
    return sample;
  }

  /**
   * Noises samples to the level of a timestep: sqrt(a_t) x_0 + sqrt(1 - a_t) noise (arXiv 2010.02502, formula 4).
   *
   * @param originalSamples x_0, of any rank >= 1
   * @param noise standard normal values of the same shape
   * @param timesteps t in [0, T - 1], or one for each batch element
   * @param options `out`: a tensor that takes the result
   * @returns the noisy samples in the container of `originalSamples`, or `out`
   * @throws TypeError or RangeError for arguments that do not fit; nothing has been written then
   * @example
   * const noisy = scheduler.addNoise(image, generator.randn(image.dims), 500);
   */
  addNoise<O extends Tensor>(
    originalSamples: Tensor,
    noise: Tensor,
    timesteps: Timesteps,
    options: OutOptions & { out: O },
  ): O;
  addNoise<S extends Tensor>(
    originalSamples: S,
    noise: Tensor,
    timesteps: Timesteps,
    options?: OutOptions & { out?: undefined },
  ): ResultOf<S>;
  addNoise<S extends Tensor>(
    originalSamples: S,
    noise: Tensor,
    timesteps: Timesteps,
    options: OutOptions,
  ): ResultOf<S> | Tensor;
  addNoise(originalSamples: unknown, noise: unknown, timesteps: unknown, options: OutOptions = NO_OPTIONS): unknown {
    return this.#combine("originalSamples", originalSamples, noise, timesteps, options, false);
  }

  /**
   * The velocity that v-prediction models are trained on: sqrt(a_t) noise - sqrt(1 - a_t) x_0 (arXiv 2202.00512).
   *
   * @param sample x_0, of any rank >= 1
   * @param noise standard normal values of the same shape
   * @param timesteps t in [0, T - 1], or one for each batch element
   * @param options `out`: a tensor that takes the result
   * @returns the velocity in the container of `sample`, or `out`
   * @throws TypeError or RangeError for arguments that do not fit; nothing has been written then
   * @example
   * const target = scheduler.getVelocity(image, noise, 500);
   */
  getVelocity<O extends Tensor>(
    sample: Tensor,
    noise: Tensor,
    timesteps: Timesteps,
    options: OutOptions & { out: O },
  ): O;
  getVelocity<S extends Tensor>(
    sample: S,
    noise: Tensor,
    timesteps: Timesteps,
    options?: OutOptions & { out?: undefined },
  ): ResultOf<S>;
  getVelocity<S extends Tensor>(
    sample: S,
    noise: Tensor,
    timesteps: Timesteps,
    options: OutOptions,
  ): ResultOf<S> | Tensor;
  getVelocity(sample: unknown, noise: unknown, timesteps: unknown, options: OutOptions = NO_OPTIONS): unknown {
    return this.#combine("sample", sample, noise, timesteps, options, true);
  }

  /** The noisy sample, or its velocity. */
  #combine(
    name: string,
    sample: unknown,
    noise: unknown,
    timesteps: unknown,
    options: OutOptions,
    velocity: boolean,
  ): unknown {
    const { out } = readOptions("options", options, OUT_OPTIONS);
    const x = readOperand(sample, name);
    const z = readMatching(noise, "noise", x);
    const batch = readBatch(x, timesteps);
    const t = readTimesteps("timesteps", timesteps, batch, this.#checkTimestep);
    const result = readResult(out, x);
    const inputs = { sample: apartFrom(result, x), modelOutput: apartFrom(result, z), guidance: undefined };
    const count = countRecords(x, batch, areEqual(t));
    for (let element = 0; element < count; element++) {
      const alpha = this.alphasCumprod[t[element]!]!;
      const signal = Math.sqrt(alpha);
      const deviation = root(1 - alpha);
      if (velocity) setCombination(recordOf(element), -deviation, signal);
      else setCombination(recordOf(element), signal, deviation);
    }
    updateTensor(result, null, inputs, null, records, count, batch, this.config.computeDtype === "float16");
    return result.tensor;
  }

  /** @internal A step between `timestep` and the one below it, in either direction. */
  protected takeStep(modelOutput: unknown, sample: unknown, timestep: unknown, step: Step): unknown {
    const { guidanceScale, guidanceRescale, prevTimestep, returnDict, out } = step;
    const { inverse = false, eta = 0, useClippedModelOutput = false, generator, varianceNoise } = step;
    const { thresholding, clipSample, clipSampleRange, predictionType, computeDtype } = this.config;
    checkGuidance(step);
    if (generator !== undefined && varianceNoise !== undefined) {
      throw new TypeError('"generator" and "varianceNoise" exclude each other: give one source of noise');
    }

    // Read and check everything: from here on no code but the library's own runs.
    const x = readOperand(sample, "sample");
    const m = readMatching(modelOutput, "modelOutput", x, guidanceScale === undefined ? 1 : 2);
    const batch = readBatch(x, timestep);
    const t = readTimesteps("timestep", timestep, batch, this.#checkTimestep);
    const below =
      prevTimestep === undefined
        ? t.map((ti) => this.targetOf(ti))
        : readTimesteps("prevTimestep", prevTimestep, batch, this.#checkTarget);
    const from = inverse ? below : t;
    const to = inverse ? t : below;
    for (const ti of from) this.#checkSolvable(ti);
    const states = generator === undefined ? null : readGenerators(generator, batch).map(({ state }) => state);
    const z = varianceNoise === undefined ? null : readMatching(varianceNoise, "varianceNoise", x);
    const prev = readResult(out, x);
    const original = returnDict ? readResult(undefined, x) : null;

    const inputs = { sample: apartFrom(prev, x), modelOutput: apartFrom(prev, m), guidance: guidanceScale };
    const noise = eta === 0 ? null : z ? apartFrom(prev, z) : (states ?? [this.#ownGenerator().state]);
    const shared = !thresholding && guidanceRescale === 0 && areEqual(t) && areEqual(below);
    const count = countRecords(x, batch, shared);
    const length = x.data.length / batch;
    for (let element = 0; element < count; element++) {
      const record = recordOf(element);
      const alpha = this.alphaAt(from[element]!);
      const alphaTarget = this.alphaAt(to[element]!);
      const sigma = standardDeviation(alpha, alphaTarget, eta);
      const range = thresholding ? 1 : clipSample ? clipSampleRange : 0;
      setStep(record, predictionType, alpha, alphaTarget, sigma, range, useClippedModelOutput);
      if (guidanceRescale > 0) {
        // arXiv 2305.08891, formulas 15 and 16.
        const ratio = guidanceDeviationRatio(inputs, element * length, length);
        scaleModelOutput(record, guidanceRescale * ratio + (1 - guidanceRescale));
      }
      if (thresholding) record.w /= this.#threshold(record, inputs, element * length, length);
    }
    updateTensor(prev, original, inputs, noise, records, count, batch, computeDtype === "float16");
    return original ? { prevSample: prev.tensor, predOriginalSample: original.tensor } : prev.tensor;
  }

  /** The dynamic threshold of a batch element: Imagen, arXiv 2205.11487, section 2.3. */
  #threshold(record: Coefficients, inputs: Inputs, start: number, length: number): number {
    const { dynamicThresholdingRatio, sampleMaxValue } = this.config;
    const quantile = originalQuantile(inputs, record, start, length, dynamicThresholdingRatio);
    return Math.min(Math.max(quantile, 1), sampleMaxValue);
  }

  /** Refuses a timestep to step from where the model's output does not tell the original sample, or the noise. */
  #checkSolvable(t: number): void {
    const { predictionType } = this.config;
    const alpha = this.alphaAt(t);
    if (predictionType === "epsilon" && !epsilonIsSolvable(alpha)) {
      throw outOfRange(
        "timestep",
        `one where predictionType "epsilon" can tell the original sample (alphasCumprod[${t}] is ${alpha}: no signal is left; use "v_prediction" or "sample")`,
        t,
      );
    }
    if (predictionType === "sample" && alpha === 1) {
      throw new RangeError(
        '"predictionType" "sample" cannot tell the noise at the start of an inversion, where there is none: use setAlphaToOne: false',
      );
    }
  }

  /** @internal The timestep on the other side of the step that starts, or in an inversion ends, at `t`. */
  targetOf(t: number): number {
    const steps = this.#numInferenceSteps;
    if (steps === null) throw new Error("call setTimesteps first: how far a step goes depends on how many there are");
    const below = this.#below ? this.#below.get(t) : t - Math.floor(this.config.numTrainTimesteps / steps);
    if (below === undefined) throw outOfRange("timestep", "one of scheduler.timesteps, or prevTimestep beside it", t);
    return below;
  }

  /** @internal The alpha product at a timestep; the outer one below 0. */
  alphaAt(timestep: number): number {
    return timestep < 0 ? this.outerAlphaCumprod : this.alphasCumprod[timestep]!;
  }

  #ownGenerator(): Generator {
    if (!this.#generator) (this.#generator = new Generator()).seed();
    return this.#generator;
  }
}

function warn(message: string): void {
  if (typeof console !== "undefined") console.warn(`ddim-wasm: ${message}`);
}

function areEqual(values: readonly number[]): boolean {
  return values.every((value) => value === values[0]);
}
