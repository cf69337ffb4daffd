// What the schedulers have in common: configuration, tables, timesteps, and noising.

import { Coefficients, epsilonIsSolvable, root, scaleModelOutput, setCombination } from "./coefficients.js";
import {
  type DDIMSchedulerConfig,
  type DDIMSchedulerOptions,
  exportConfig,
  importConfig,
  resolveConfig,
} from "./config.js";
import { checkNumber, checkOptions, outOfRange, wrongType } from "./errors.js";
import { makeNoiseSchedule } from "./noise-schedule.js";
import {
  apartFrom,
  checkBatch,
  type Operand,
  type ReadTimesteps,
  readBatch,
  readMatching,
  readOperand,
  readResult,
  readTimesteps,
  type Timesteps,
  timestepOf,
} from "./operands.js";
import { guidanceDeviationRatio, type Inputs, type RandomState, updateTensor } from "./staging.js";
import type { ResultOf, Tensor, Values } from "./tensor.js";
import { checkTimestepList, makeTimesteps } from "./timesteps.js";

/** Options of `addNoise` and `getVelocity`. */
export interface OutOptions {
  /** A tensor of the sample's type and length that takes the result; it may be one of the inputs. */
  out?: Tensor | undefined;
}

const OUT_OPTIONS: Record<keyof OutOptions, undefined> = { out: undefined };

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

/** Refuses options of guidance that do not fit. */
export function checkGuidance(guidanceScale: unknown, guidanceRescale: unknown): void {
  if (guidanceScale !== undefined) checkNumber("guidanceScale", guidanceScale, "a finite number", Number.isFinite);
  checkNumber("guidanceRescale", guidanceRescale, "a number in [0, 1]", (v) => v >= 0 && v <= 1);
  if (guidanceRescale !== 0 && guidanceScale === undefined) {
    throw new TypeError('"guidanceRescale" expected guidanceScale beside it, got none');
  }
}

/** Coefficient records, kept from call to call. */
const records: Coefficients[] = [];

/** The part of a scheduler that does not depend on the direction of its steps. */
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

  #timesteps: Int32Array;
  #numInferenceSteps: number | null = null;
  #ownList = false;

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
    this.#timesteps = this.arrange(Int32Array.from(betas, (_, i) => last - i));
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
    checkOptions("reporting", reporting, { onWarning: undefined });
    const { onWarning = warn } = reporting;
    if (typeof onWarning !== "function") throw wrongType("onWarning", "a function", onWarning);
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

  /** @internal Whether the timesteps are a list of the user's own. */
  protected get ownList(): boolean {
    return this.#ownList;
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
    const own = typeof steps === "object" && steps !== null && typeof steps.length === "number";
    const descending = own
      ? checkTimestepList(steps, this.config.numTrainTimesteps)
      : makeTimesteps(steps, this.config);
    this.#timesteps = this.arrange(descending);
    this.#numInferenceSteps = descending.length;
    this.#ownList = own;
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
    return this.#combine("originalSamples", originalSamples, noise, timesteps, options, (record, signal, deviation) =>
      setCombination(record, signal, deviation),
    );
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
    return this.#combine("sample", sample, noise, timesteps, options, (record, signal, deviation) =>
      setCombination(record, -deviation, signal),
    );
  }

  /** A combination of sample and noise that depends on the alpha product of each batch element. */
  #combine(
    name: string,
    sample: unknown,
    noise: unknown,
    timesteps: unknown,
    options: OutOptions,
    setRecord: (record: Coefficients, signal: number, deviation: number) => void,
  ): unknown {
    checkOptions("options", options, OUT_OPTIONS);
    const { out } = options;
    const x = readOperand(sample, name);
    const z = readMatching(noise, "noise", x);
    const t = this.readTimesteps("timesteps", timesteps);
    const batch = readBatch(x, "timesteps", t);
    const result = readResult(out, x);
    const inputs = {
      sample: apartFrom(result.values, x.values),
      modelOutput: apartFrom(result.values, z.values),
      guidance: undefined,
    };
    this.compute(result, null, inputs, null, batch, typeof t === "number", (record, element) => {
      const alpha = this.alphasCumprod[timestepOf(t, element)]!;
      setRecord(record, Math.sqrt(alpha), root(1 - alpha));
    });
    return result.tensor;
  }

  /**
   * @internal Computes a result, and the predicted original sample if it is wanted, from checked operands.
   *
   * @param shared whether all batch elements have the same coefficients
   * @param setRecord sets the coefficients of a batch element; it may read the inputs, which are whole still
   */
  protected compute(
    result: Operand,
    original: Operand | null,
    inputs: Inputs,
    noise: Values | readonly RandomState[] | null,
    batch: number,
    shared: boolean,
    setRecord: (record: Coefficients, element: number) => void,
  ): void {
    if (result.data.length === 0) return;
    const count = shared ? 1 : batch;
    for (let i = 0; i < count; i++) setRecord((records[i] ??= new Coefficients()), i);
    const half = this.config.computeDtype === "float16";
    updateTensor(result.values, original?.values ?? null, inputs, noise, records, count, batch, half);
  }

  /** @internal Applies guidanceRescale to the coefficients of a batch element. */
  protected rescaleGuidance(
    record: Coefficients,
    rescale: number,
    inputs: Inputs,
    start: number,
    length: number,
  ): void {
    const ratio = guidanceDeviationRatio(inputs, start, length);
    // arXiv 2305.08891, formulas 15 and 16.
    scaleModelOutput(record, rescale * ratio + (1 - rescale));
  }

  /** @internal Refuses epsilon prediction at timesteps where there is no signal left to predict. */
  protected checkSolvable(t: ReadTimesteps): void {
    if (this.config.predictionType !== "epsilon") return;
    const unsolvable = (typeof t === "number" ? [t] : t).find(
      (ti) => ti >= 0 && !epsilonIsSolvable(this.alphasCumprod[ti]!),
    );
    if (unsolvable === undefined) return;
    throw outOfRange(
      "timestep",
      `one where predictionType "epsilon" can tell the original sample (alphasCumprod[${unsolvable}] is ${this.alphasCumprod[unsolvable]}: no signal is left; use "v_prediction" or "sample")`,
      unsolvable,
    );
  }

  /** @internal The alpha product at a timestep; the outer one below 0. */
  alphaAt(timestep: number): number {
    return timestep < 0 ? this.outerAlphaCumprod : this.alphasCumprod[timestep]!;
  }

  /** @internal */
  protected readTimesteps(name: string, value: unknown, low = 0): ReadTimesteps {
    return readTimesteps(name, value, low, this.config.numTrainTimesteps - 1);
  }

  /** @internal Reads the option `prevTimestep`. */
  protected readTargets(prevTimestep: unknown, batch: number): ReadTimesteps {
    const targets = this.readTimesteps("prevTimestep", prevTimestep, -Infinity);
    checkBatch("prevTimestep", targets, batch);
    return targets;
  }
}

function warn(message: string): void {
  if (typeof console !== "undefined") console.warn(`ddim-wasm: ${message}`);
}
