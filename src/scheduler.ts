// The DDIM scheduler.

import { Coefficients, epsilonIsSolvable, root, setCombination, setStep, standardDeviation } from "./coefficients.js";
import {
  type DDIMSchedulerConfig,
  type DDIMSchedulerOptions,
  exportConfig,
  importConfig,
  resolveConfig,
} from "./config.js";
import { checkBoolean, checkNumber, checkOptions, outOfRange, show, wrongType } from "./errors.js";
import { Generator } from "./generator.js";
import { makeNoiseSchedule } from "./noise-schedule.js";
import { type Inputs, originalQuantile, type RandomState, updateTensor } from "./staging.js";
import {
  isTensor,
  makeLike,
  newValues,
  overlapsPartly,
  readDims,
  readValues,
  type Tensor,
  type Values,
} from "./tensor.js";
import { checkTimestepList, followers, makeTimesteps } from "./timesteps.js";

/** A timestep, or one for each batch element. */
export type Timesteps = number | bigint | ArrayLike<number> | ArrayLike<bigint>;

/** Options of {@link DDIMScheduler.step}. */
export interface StepOptions {
  /** How much of DDPM's noise is added, in [0, 1]: 0 is DDIM, 1 is DDPM. Default 0. */
  eta?: number | undefined;
  /** Derive eps again from the clipped or thresholded prediction. Default false. */
  useClippedModelOutput?: boolean | undefined;
  /** Source of the noise for eta > 0: one generator, or a list with one for each batch element. */
  generator?: Generator | readonly Generator[] | undefined;
  /** The noise itself, in place of a generator. */
  varianceNoise?: Tensor | undefined;
  /** The timestep to step to, or one for each batch element; negative: past the last one. */
  prevTimestep?: Timesteps | undefined;
  /** Classifier-free guidance: the model output then holds the unconditional batch and after it the conditional one. */
  guidanceScale?: number | undefined;
  /** Not supported by this version, except as 0. */
  guidanceRescale?: number | undefined;
  /** Return `{ prevSample, predOriginalSample }`. Default false. */
  returnDict?: boolean | undefined;
  /** A tensor of the sample's type and length that takes the result; it may be one of the inputs. */
  out?: Tensor | undefined;
}

const STEP_OPTIONS = {
  eta: undefined,
  useClippedModelOutput: undefined,
  generator: undefined,
  varianceNoise: undefined,
  prevTimestep: undefined,
  guidanceScale: undefined,
  guidanceRescale: undefined,
  returnDict: undefined,
  out: undefined,
} satisfies StepOptions;

/** Options of {@link DDIMScheduler.addNoise} and {@link DDIMScheduler.getVelocity}. */
export interface OutOptions {
  /** A tensor of the sample's type and length that takes the result; it may be one of the inputs. */
  out?: Tensor | undefined;
}

const OUT_OPTIONS = { out: undefined } satisfies OutOptions;

/** What {@link DDIMScheduler.step} returns under `returnDict`. */
export interface StepResult<P, O = P> {
  /** x_{t-1}, the sample one step on. */
  prevSample: P;
  /** x_0, the predicted original sample, clipped or thresholded. Always in new memory. */
  predOriginalSample: O;
}

const NO_OPTIONS = Object.freeze({});

/** Coefficient records, kept from call to call; a call uses as many as its batch needs. */
const records: Coefficients[] = [new Coefficients()];

function takeRecords(count: number): Coefficients[] {
  while (records.length < count) records.push(new Coefficients());
  records.length = count;
  return records;
}

/** The tensor that a result takes: a plain one for a resident sample, else one of the sample's own kind. */
export type ResultOf<S extends Tensor> = S;

/**
 * The DDIM sampler (arXiv 2010.02502), with the options of diffusers' and MindFlow's `DDIMScheduler`.
 *
 * @example
 * import { DDIMScheduler, Generator } from "ddim-wasm";
 *
 * const scheduler = new DDIMScheduler({ betaSchedule: "squaredcos_cap_v2" });
 * scheduler.setTimesteps(20);
 * let sample = new Generator(42).randn([1, 4, 64, 64]);
 * for (const t of scheduler.timesteps) {
 *   const modelOutput = await model(sample, t);
 *   sample = scheduler.step(modelOutput, sample, t);
 * }
 */
export class DDIMScheduler {
  /** The complete configuration, defaults included. */
  readonly config: DDIMSchedulerConfig;
  /** The variance added by each training step: T values in (0, 1), the last may be 1. */
  readonly betas: Float64Array;
  /** 1 - betas. */
  readonly alphas: Float64Array;
  /** Products of the alphas up to each timestep: the share of the signal's variance that is left. */
  readonly alphasCumprod: Float64Array;
  /** The alpha product after the last step: 1, or alphasCumprod[0] where `setAlphaToOne` is false. */
  readonly finalAlphaCumprod: number;
  /** The deviation of the noise a run starts from. */
  readonly initNoiseSigma = 1 as const;
  /** Model calls a step takes. */
  readonly order = 1 as const;

  #timesteps: Int32Array;
  #numInferenceSteps: number | null = null;
  /** The entry after each timestep, where that is what a step leads to. */
  #followers: Map<number, number> | null = null;
  /** Source of noise for those who bring none. */
  #generator: Generator | null = null;

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
    this.finalAlphaCumprod = this.config.setAlphaToOne ? 1 : alphasCumprod[0]!;
    const last = this.config.numTrainTimesteps - 1;
    this.#timesteps = Int32Array.from(betas, (_, i) => last - i);
  }

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
   * const scheduler = DDIMScheduler.fromConfig('{ "beta_schedule": "scaled_linear", "clip_sample": false }');
   */
  static fromConfig(
    config: string | object,
    overrides: DDIMSchedulerOptions = {},
    { onWarning = warn }: { onWarning?: ((message: string) => void) | undefined } = {},
  ): DDIMScheduler {
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
  toConfig(): Record<string, unknown> {
    return exportConfig(this.config, "DDIMScheduler");
  }

  /** The number of inference steps; null before setTimesteps. */
  get numInferenceSteps(): number | null {
    return this.#numInferenceSteps;
  }

  /** The timesteps of a run, descending; T - 1 ... 0 before setTimesteps. */
  get timesteps(): Int32Array {
    return this.#timesteps;
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
    this.#timesteps = own ? checkTimestepList(steps, this.config.numTrainTimesteps) : makeTimesteps(steps, this.config);
    this.#numInferenceSteps = this.#timesteps.length;
    this.#followers = own || this.config.previousTimestep === "schedule" ? followers(this.#timesteps) : null;
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
   * One step of the reverse process: from the sample at `timestep` to the one before it (arXiv 2010.02502, formula 12).
   *
   * @param modelOutput what the model predicted: the sample's shape, or twice its batch with `guidanceScale`
   * @param sample x_t, of any rank >= 1; its first dimension is the batch
   * @param timestep t in [0, T - 1], or one for each batch element
   * @param options see {@link StepOptions}
   * @returns x_{t-1} in the sample's container and shape, or `out`; with `returnDict` an object that has x_0 too
   * @throws Error before setTimesteps; TypeError for a wrong kind of argument; RangeError for a wrong size or value,
   * and for epsilon prediction at a timestep that has no signal left. Nothing has been written then
   * @example
   * sample = scheduler.step(modelOutput, sample, t);
   * const { predOriginalSample } = scheduler.step(modelOutput, sample, t, { eta: 1, generator, returnDict: true });
   */
  step<S extends Tensor, O extends Tensor>(
    modelOutput: Tensor,
    sample: S,
    timestep: Timesteps,
    options: StepOptions & { returnDict: true; out: O },
  ): StepResult<O, ResultOf<S>>;
  step<S extends Tensor>(
    modelOutput: Tensor,
    sample: S,
    timestep: Timesteps,
    options: StepOptions & { returnDict: true; out?: undefined },
  ): StepResult<ResultOf<S>>;
  step<O extends Tensor>(
    modelOutput: Tensor,
    sample: Tensor,
    timestep: Timesteps,
    options: StepOptions & { returnDict?: false | undefined; out: O },
  ): O;
  step<S extends Tensor>(
    modelOutput: Tensor,
    sample: S,
    timestep: Timesteps,
    options?: StepOptions & { returnDict?: false | undefined; out?: undefined },
  ): ResultOf<S>;
  step<S extends Tensor>(
    modelOutput: Tensor,
    sample: S,
    timestep: Timesteps,
    options: StepOptions,
  ): ResultOf<S> | Tensor | StepResult<ResultOf<S> | Tensor, ResultOf<S>>;
  step(modelOutput: unknown, sample: unknown, timestep: unknown, options: StepOptions = NO_OPTIONS): unknown {
    // Everything is read and checked first: from there on no code but ours runs.
    if (!isTensor(sample) && isTensor(timestep)) {
      throw new TypeError(
        "step takes (modelOutput, sample, timestep); it got the timestep before the sample, which is diffusers' order",
      );
    }
    checkOptions("options", options, STEP_OPTIONS);
    const { eta = 0, useClippedModelOutput = false, guidanceScale, guidanceRescale = 0, returnDict = false } = options;
    const { generator, varianceNoise, prevTimestep, out } = options;
    checkNumber("eta", eta, "a number in [0, 1]", (v) => v >= 0 && v <= 1);
    checkBoolean("useClippedModelOutput", useClippedModelOutput);
    checkBoolean("returnDict", returnDict);
    const guided = guidanceScale !== undefined;
    if (guided) checkNumber("guidanceScale", guidanceScale, "a finite number", Number.isFinite);
    checkNumber("guidanceRescale", guidanceRescale, "0 (it is not supported by this version)", (v) => v === 0);
    if (generator !== undefined && varianceNoise !== undefined) {
      throw new TypeError('"generator" and "varianceNoise" exclude each other: give one source of noise');
    }

    const x = readValues(sample, "sample");
    const dims = readDims(sample, "sample", x.length);
    let m = readValues(modelOutput, "modelOutput");
    checkMatch("modelOutput", m, readDims(modelOutput, "modelOutput", m.length), x, dims, guided ? 2 : 1);
    const t = this.#readTimesteps("timestep", timestep, 0);
    const p = prevTimestep === undefined ? null : this.#readTimesteps("prevTimestep", prevTimestep, -Infinity);
    const batch = dims ? dims[0]! : typeof t === "number" ? 1 : t.length;
    checkBatch("timestep", t, batch);
    if (p !== null) checkBatch("prevTimestep", p, batch);
    if (batch === 0 ? x.length > 0 : x.length % batch > 0) {
      throw outOfRange("sample", `a length that ${batch} timesteps divide`, x.length);
    }
    if (this.#numInferenceSteps === null && p === null) {
      throw new Error("call setTimesteps first: a step's length depends on how many there are");
    }
    this.#checkSolvable(t);
    const targets = typeof t === "number" ? this.#target(t, p) : t.map((ti, i) => this.#target(ti, p, i));

    const states = generator === undefined ? null : readGenerators(generator, batch);
    let noise: Values | readonly RandomState[] | null = null;
    if (varianceNoise !== undefined) {
      const z = readValues(varianceNoise, "varianceNoise");
      checkMatch("varianceNoise", z, readDims(varianceNoise, "varianceNoise", z.length), x, dims, 1);
      noise = z;
    }
    if (eta === 0) noise = null;
    else noise ??= states ?? [this.#ownGenerator().state];

    const prevSample = out === undefined ? makeLike(sample, newValues(x, x.length), dims, "sample") : out;
    const prev = readValues(prevSample, "out");
    if (out !== undefined) checkMatch("out", prev, readDims(out, "out", prev.length), x, dims, 1);
    const predOriginalSample = returnDict ? makeLike(sample, newValues(x, x.length), dims, "sample") : null;
    const original = returnDict ? readValues(predOriginalSample, "sample") : null;

    // An input that `out` coincides with is read before it is written; any other overlap needs a copy.
    const length = x.length;
    let separate = x;
    if (out !== undefined) {
      if (overlapsPartly(prev, x, 0, length)) separate = x.slice();
      if (overlapsPartly(prev, m, 0, length) || (guided && overlapsPartly(prev, m, length, length))) m = m.slice();
      if (noise !== null && !Array.isArray(noise) && overlapsPartly(prev, noise as Values, 0, length)) {
        noise = (noise as Values).slice();
      }
    }

    const inputs: Inputs = { sample: separate, modelOutput: m, guided, guidance: guidanceScale ?? 0 };
    const { thresholding, clipSample, clipSampleRange, predictionType } = this.config;
    const range = thresholding ? 1 : clipSample ? clipSampleRange : 0;
    const count = length === 0 ? 0 : thresholding || typeof t !== "number" ? batch : 1;
    const coefficients = takeRecords(count);
    for (let i = 0; i < count; i++) {
      const record = coefficients[i]!;
      const alpha = this.alphasCumprod[typeof t === "number" ? t : t[i]!]!;
      const alphaTarget = this.#alphaAt(typeof targets === "number" ? targets : targets[i]!);
      const sigma = standardDeviation(alpha, alphaTarget, eta);
      setStep(record, predictionType, alpha, alphaTarget, sigma, range, useClippedModelOutput);
      if (thresholding) record.w /= this.#threshold(inputs, record, i, length / batch);
    }
    updateTensor(prev, original, inputs, noise, coefficients, batch);
    return returnDict ? { prevSample, predOriginalSample } : prevSample;
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
    return this.#combine("originalSamples", originalSamples, noise, timesteps, options, (record, alpha) =>
      setCombination(record, Math.sqrt(alpha), root(1 - alpha)),
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
    return this.#combine("sample", sample, noise, timesteps, options, (record, alpha) =>
      setCombination(record, -root(1 - alpha), Math.sqrt(alpha)),
    );
  }

  /** out = b sample + c noise, with coefficients that depend on the alpha product of each batch element. */
  #combine(
    name: string,
    sample: unknown,
    noise: unknown,
    timesteps: unknown,
    options: OutOptions,
    setRecord: (record: Coefficients, alpha: number) => void,
  ): unknown {
    checkOptions("options", options, OUT_OPTIONS);
    const { out } = options;
    let x = readValues(sample, name);
    const dims = readDims(sample, name, x.length);
    let z = readValues(noise, "noise");
    checkMatch("noise", z, readDims(noise, "noise", z.length), x, dims, 1);
    const t = this.#readTimesteps("timesteps", timesteps, 0);
    const batch = dims ? dims[0]! : typeof t === "number" ? 1 : t.length;
    checkBatch("timesteps", t, batch);
    const length = x.length;
    if (batch === 0 ? length > 0 : length % batch > 0)
      throw outOfRange(name, `a length that ${batch} timesteps divide`, length);

    const result = out === undefined ? makeLike(sample, newValues(x, length), dims, name) : out;
    const values = readValues(result, "out");
    if (out !== undefined) {
      checkMatch("out", values, readDims(out, "out", values.length), x, dims, 1);
      if (overlapsPartly(values, x, 0, length)) x = x.slice();
      if (overlapsPartly(values, z, 0, length)) z = z.slice();
    }
    const coefficients = takeRecords(typeof t === "number" ? 1 : batch);
    coefficients.forEach((record, i) => setRecord(record, this.alphasCumprod[typeof t === "number" ? t : t[i]!]!));
    updateTensor(values, null, { sample: x, modelOutput: z, guided: false, guidance: 0 }, null, coefficients, batch);
    return result;
  }

  /** Imagen's dynamic threshold, arXiv 2205.11487 section 2.3, of one batch element. */
  #threshold(inputs: Inputs, record: Coefficients, element: number, length: number): number {
    const { dynamicThresholdingRatio, sampleMaxValue } = this.config;
    const quantile = originalQuantile(inputs, record, element * length, length, dynamicThresholdingRatio);
    return Math.min(Math.max(quantile, 1), sampleMaxValue);
  }

  /** The alpha product at a timestep; the final one below 0. */
  #alphaAt(timestep: number): number {
    return timestep < 0 ? this.finalAlphaCumprod : this.alphasCumprod[timestep]!;
  }

  /** The timestep that a step from `t` leads to. */
  #target(t: number, given: number | readonly number[] | null, element = 0): number {
    if (given !== null) return typeof given === "number" ? given : given[element]!;
    if (this.#followers === null) return t - Math.floor(this.config.numTrainTimesteps / this.#numInferenceSteps!);
    const next = this.#followers.get(t);
    if (next === undefined) {
      throw outOfRange("timestep", "an entry of scheduler.timesteps (or prevTimestep beside it)", t);
    }
    return next;
  }

  #checkSolvable(t: number | readonly number[]): void {
    if (this.config.predictionType !== "epsilon") return;
    for (const ti of typeof t === "number" ? [t] : t) {
      const alpha = this.alphasCumprod[ti]!;
      if (!epsilonIsSolvable(alpha)) {
        throw new RangeError(
          `"timestep" ${ti} has no signal left (alphasCumprod is ${alpha}), so that predictionType "epsilon" cannot tell the original sample there; use "v_prediction" or "sample"`,
        );
      }
    }
  }

  #readTimesteps(name: string, value: unknown, low: number): number | number[] {
    const high = this.config.numTrainTimesteps - 1;
    if (typeof value === "number" || typeof value === "bigint") return checkTimestep(name, value, low, high);
    if (typeof value !== "object" || value === null || typeof (value as ArrayLike<unknown>).length !== "number") {
      throw wrongType(name, "an integer, or an array of one for each batch element", value);
    }
    return Array.from(value as ArrayLike<unknown>, (item, i) => checkTimestep(`${name}[${i}]`, item, low, high));
  }

  #ownGenerator(): Generator {
    if (this.#generator === null) {
      const generator = new Generator();
      generator.seed();
      this.#generator = generator;
    }
    return this.#generator;
  }
}

function warn(message: string): void {
  if (typeof console !== "undefined") console.warn(`ddim-wasm: ${message}`);
}

function checkTimestep(name: string, value: unknown, low: number, high: number): number {
  const expected = low === 0 ? `an integer in [0, ${high}]` : `an integer <= ${high}`;
  const t = typeof value === "bigint" ? Number(value) : value;
  if (typeof t !== "number") throw wrongType(name, expected, value);
  if (!Number.isInteger(t) || t < low || t > high) throw outOfRange(name, expected, value);
  return t;
}

function checkBatch(name: string, timesteps: number | readonly number[], batch: number): void {
  if (typeof timesteps !== "number" && timesteps.length !== batch) {
    throw outOfRange(name, `one timestep, or ${batch}: one for each batch element`, timesteps);
  }
}

/** Checks that a tensor has the sample's length and, where both have them, dims; `times` its batch. */
function checkMatch(
  name: string,
  values: Values,
  dims: readonly number[] | null,
  sample: Values,
  sampleDims: readonly number[] | null,
  times: number,
): void {
  const length = sample.length * times;
  const counted = times === 1 ? "as many as the sample" : "twice the sample's, as guidanceScale is given";
  if (values.length !== length) {
    const hint =
      times === 1 && values.length === 2 * length && name === "modelOutput"
        ? " (a doubled batch takes guidanceScale)"
        : "";
    throw outOfRange(name, `${length} elements, ${counted}`, `${values.length}${hint}`);
  }
  if (dims === null || sampleDims === null) return;
  const same =
    dims.length === sampleDims.length && dims.every((size, i) => size === sampleDims[i]! * (i === 0 ? times : 1));
  if (!same) {
    const wanted = sampleDims.map((size, i) => size * (i === 0 ? times : 1));
    throw new RangeError(`"${name}" expected dims ${show(wanted)}, got ${show(dims)}`);
  }
}

function readGenerators(generator: unknown, batch: number): readonly RandomState[] {
  const expected = "a Generator, or an array of one for each batch element";
  const list = Array.isArray(generator) ? generator : [generator];
  const states = list.map((item) => {
    if (!(item instanceof Generator)) throw wrongType("generator", expected, item);
    return item.state;
  });
  if (states.length !== 1 && states.length !== batch) {
    throw outOfRange("generator", `one Generator, or ${batch}: one for each batch element`, states.length);
  }
  return states;
}
