// The DDIM scheduler.

import { type Coefficients, setStep, standardDeviation } from "./coefficients.js";
import { checkBoolean, checkNumber, checkOptions, outOfRange } from "./errors.js";
import { Generator } from "./generator.js";
import { checkGuidance, type GuidanceOptions, NO_OPTIONS, NoiseScheduler } from "./noise-scheduler.js";
import {
  apartFrom,
  readBatch,
  readGenerators,
  readMatching,
  readOperand,
  readResult,
  type ReadTimesteps,
  type Timesteps,
  timestepOf,
} from "./operands.js";
import { type Inputs, originalQuantile, type RandomState } from "./staging.js";
import { isTensor, type ResultOf, type Tensor } from "./tensor.js";
import { followers } from "./timesteps.js";

/** Options of {@link DDIMScheduler.step}. */
export interface StepOptions extends GuidanceOptions {
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
  /** Return `{ prevSample, predOriginalSample }`. Default false. */
  returnDict?: boolean | undefined;
  /** A tensor of the sample's type and length that takes the result; it may be one of the inputs. */
  out?: Tensor | undefined;
}

const STEP_OPTIONS: Record<keyof StepOptions, undefined> = {
  eta: undefined,
  useClippedModelOutput: undefined,
  generator: undefined,
  varianceNoise: undefined,
  prevTimestep: undefined,
  guidanceScale: undefined,
  guidanceRescale: undefined,
  returnDict: undefined,
  out: undefined,
};

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
    checkGuidance(guidanceScale, guidanceRescale);
    if (generator !== undefined && varianceNoise !== undefined) {
      throw new TypeError('"generator" and "varianceNoise" exclude each other: give one source of noise');
    }

    // Read and check everything: from here on no code but the library's own runs.
    const guided = guidanceScale !== undefined;
    const x = readOperand(sample, "sample");
    const m = readMatching(modelOutput, "modelOutput", x, guided ? 2 : 1);
    const t = this.readTimesteps("timestep", timestep);
    const batch = readBatch(x, "timestep", t);
    const p = prevTimestep === undefined ? this.#targets(t) : this.readTargets(prevTimestep, batch);
    this.checkSolvable(t);
    const states = generator === undefined ? null : readGenerators(generator, batch);
    const z = varianceNoise === undefined ? null : readMatching(varianceNoise, "varianceNoise", x);
    const prev = readResult(out, x);
    const original = returnDict ? readResult(undefined, x) : null;

    const inputs = {
      sample: apartFrom(prev.values, x.values),
      modelOutput: apartFrom(prev.values, m.values),
      guidance: guidanceScale,
    };
    const noise = eta === 0 ? null : z ? apartFrom(prev.values, z.values) : (states ?? this.#ownState());

    const { thresholding, clipSample, clipSampleRange, predictionType } = this.config;
    const range = thresholding ? 1 : clipSample ? clipSampleRange : 0;
    const shared = typeof t === "number" && typeof p === "number" && !thresholding && guidanceRescale === 0;
    const length = x.data.length / batch;
    this.compute(prev, original, inputs, noise, batch, shared, (record, element) => {
      const alpha = this.alphasCumprod[timestepOf(t, element)]!;
      const alphaTarget = this.alphaAt(timestepOf(p, element));
      const sigma = standardDeviation(alpha, alphaTarget, eta);
      setStep(record, predictionType, alpha, alphaTarget, sigma, range, useClippedModelOutput);
      if (guidanceRescale > 0) this.rescaleGuidance(record, guidanceRescale, inputs, element * length, length);
      if (thresholding) record.w /= this.#threshold(record, inputs, element * length, length);
    });
    return original ? { prevSample: prev.tensor, predOriginalSample: original.tensor } : prev.tensor;
  }

  /** The dynamic threshold of a batch element: Imagen, arXiv 2205.11487, section 2.3. */
  #threshold(record: Coefficients, inputs: Inputs, start: number, length: number): number {
    const { dynamicThresholdingRatio, sampleMaxValue } = this.config;
    const quantile = originalQuantile(inputs, record, start, length, dynamicThresholdingRatio);
    return Math.min(Math.max(quantile, 1), sampleMaxValue);
  }

  #targets(t: ReadTimesteps): ReadTimesteps {
    return typeof t === "number" ? this.targetOf(t) : t.map((ti) => this.targetOf(ti));
  }

  /** @internal The timestep that a step from `t` leads to; negative beyond the last. */
  targetOf(t: number): number {
    const steps = this.numInferenceSteps;
    if (steps === null) throw new Error("call setTimesteps first: how far a step goes depends on how many there are");
    if (this.#followers === null) return t - Math.floor(this.config.numTrainTimesteps / steps);
    const next = this.#followers.get(t);
    if (next === undefined) throw outOfRange("timestep", "one of scheduler.timesteps, or prevTimestep beside it", t);
    return next;
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
