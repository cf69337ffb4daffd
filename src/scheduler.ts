// The DDIM scheduler.

import { epsilonIsSolvable, setStep, standardDeviation } from "./coefficients.js";
import { type DDIMSchedulerOptions, importConfig } from "./config.js";
import { checkBoolean, checkNumber, checkOptions, outOfRange } from "./errors.js";
import { Generator } from "./generator.js";
import { NO_OPTIONS, NoiseScheduler, takeRecords } from "./noise-scheduler.js";
import {
  apartFrom,
  checkBatch,
  readBatch,
  readGenerators,
  readMatching,
  readOperand,
  readResult,
  type ReadTimesteps,
  type Timesteps,
  timestepOf,
} from "./operands.js";
import { originalQuantile, type RandomState, updateTensor } from "./staging.js";
import { isTensor, type ResultOf, type Tensor } from "./tensor.js";
import { followers } from "./timesteps.js";

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

/** What {@link DDIMScheduler.step} returns under `returnDict`. */
export interface StepResult<P, O = P> {
  /** x_{t-1}, the sample one step on. */
  prevSample: P;
  /** x_0, the predicted original sample, clipped or thresholded. Always in new memory. */
  predOriginalSample: O;
}

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
export class DDIMScheduler extends NoiseScheduler {
  /** The entry after each timestep, where that is what a step leads to. */
  #followers: Map<number, number> | null = null;
  /** Source of noise for those who bring none. */
  #generator: Generator | null = null;

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

  override toConfig(): Record<string, unknown> {
    return this.exportConfig("DDIMScheduler");
  }

  /** @internal */
  protected override arrange(descending: Int32Array): Int32Array {
    return descending;
  }

  /** The alpha product after the last step: 1, or alphasCumprod[0] where `setAlphaToOne` is false. */
  get finalAlphaCumprod(): number {
    return this.outerAlphaCumprod;
  }

  override setTimesteps(steps: number | ArrayLike<number> | ArrayLike<bigint>): void {
    super.setTimesteps(steps);
    const follow = this.ownList || this.config.previousTimestep === "schedule";
    this.#followers = follow ? followers(this.timesteps) : null;
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

    // Read and check everything: from here on no code but the library's own runs.
    const x = readOperand(sample, "sample");
    const m = readMatching(modelOutput, "modelOutput", x, guided ? 2 : 1);
    const t = this.readTimesteps("timestep", timestep);
    const batch = readBatch(x, "timestep", t);
    const p = this.#readTargets(t, prevTimestep, batch);
    this.#checkSolvable(t);
    const states = generator === undefined ? null : readGenerators(generator, batch);
    const z = varianceNoise === undefined ? null : readMatching(varianceNoise, "varianceNoise", x);
    const prev = readResult(out, x);
    const original = returnDict ? readResult(undefined, x) : null;

    const inputs = {
      sample: apartFrom(prev.values, x.values),
      modelOutput: apartFrom(prev.values, m.values),
      guided,
      guidance: guidanceScale ?? 0,
    };
    const noise = eta === 0 ? null : z ? apartFrom(prev.values, z.values) : (states ?? this.#ownState());

    // The coefficients of each batch element, or of all where they are the same.
    const { thresholding, clipSample, clipSampleRange, predictionType } = this.config;
    const range = thresholding ? 1 : clipSample ? clipSampleRange : 0;
    const length = x.data.length;
    const count = length === 0 ? 0 : thresholding || typeof t !== "number" || typeof p !== "number" ? batch : 1;
    const coefficients = takeRecords(count);
    for (let i = 0; i < count; i++) {
      const record = coefficients[i]!;
      const alpha = this.alphasCumprod[timestepOf(t, i)]!;
      const alphaTarget = this.#alphaAt(timestepOf(p, i));
      const sigma = standardDeviation(alpha, alphaTarget, eta);
      setStep(record, predictionType, alpha, alphaTarget, sigma, range, useClippedModelOutput);
      if (thresholding) {
        const { dynamicThresholdingRatio, sampleMaxValue } = this.config;
        const elementLength = length / batch;
        const quantile = originalQuantile(inputs, record, i * elementLength, elementLength, dynamicThresholdingRatio);
        // Imagen, arXiv 2205.11487, section 2.3: clamp(x0, -s, s) / s.
        record.w /= Math.min(Math.max(quantile, 1), sampleMaxValue);
      }
    }
    updateTensor(prev.values, original?.values ?? null, inputs, noise, coefficients, count, batch, this.roundsToHalf);
    return original ? { prevSample: prev.tensor, predOriginalSample: original.tensor } : prev.tensor;
  }

  /** The alpha product at a timestep; the final one below 0. */
  #alphaAt(timestep: number): number {
    return timestep < 0 ? this.finalAlphaCumprod : this.alphasCumprod[timestep]!;
  }

  /** The timesteps that a step from `t` leads to. */
  #readTargets(t: ReadTimesteps, prevTimestep: unknown, batch: number): ReadTimesteps {
    if (prevTimestep !== undefined) {
      const p = this.readTimesteps("prevTimestep", prevTimestep, -Infinity);
      checkBatch("prevTimestep", p, batch);
      return p;
    }
    const steps = this.numInferenceSteps;
    if (steps === null) throw new Error("call setTimesteps first: how far a step goes depends on how many there are");
    return typeof t === "number" ? this.#follow(t, steps) : t.map((ti) => this.#follow(ti, steps));
  }

  #follow(t: number, steps: number): number {
    if (this.#followers === null) return t - Math.floor(this.config.numTrainTimesteps / steps);
    const next = this.#followers.get(t);
    if (next === undefined) throw outOfRange("timestep", "one of scheduler.timesteps, or prevTimestep beside it", t);
    return next;
  }

  #checkSolvable(t: ReadTimesteps): void {
    if (this.config.predictionType !== "epsilon") return;
    const unsolvable = (typeof t === "number" ? [t] : t).find((ti) => !epsilonIsSolvable(this.alphasCumprod[ti]!));
    if (unsolvable === undefined) return;
    throw outOfRange(
      "timestep",
      `one where predictionType "epsilon" can tell the original sample (alphasCumprod[${unsolvable}] is ${this.alphasCumprod[unsolvable]}: no signal is left; use "v_prediction" or "sample")`,
      unsolvable,
    );
  }

  #ownState(): readonly RandomState[] {
    if (this.#generator === null) {
      const generator = new Generator();
      generator.seed();
      this.#generator = generator;
    }
    return [this.#generator.state];
  }
}

function warn(message: string): void {
  if (typeof console !== "undefined") console.warn(`ddim-wasm: ${message}`);
}
