// DDIM in the other direction: from an image to the noise that it is sampled from.

import { setStep } from "./coefficients.js";
import type { DDIMSchedulerOptions } from "./config.js";
import { checkBoolean, checkOptions, outOfRange } from "./errors.js";
import { checkGuidance, type GuidanceOptions, NO_OPTIONS, NoiseScheduler } from "./noise-scheduler.js";
import {
  apartFrom,
  readBatch,
  readMatching,
  readOperand,
  readResult,
  type ReadTimesteps,
  type Timesteps,
  timestepOf,
} from "./operands.js";
import type { StepResult } from "./scheduler.js";
import type { ResultOf, Tensor } from "./tensor.js";
import { followers } from "./timesteps.js";

/** Options of {@link DDIMInverseScheduler.step}. */
export interface InverseStepOptions extends GuidanceOptions {
  /** The timestep to come from, or one for each batch element; negative: the image. */
  prevTimestep?: Timesteps | undefined;
  /** Return `{ prevSample, predOriginalSample }`. Default false. */
  returnDict?: boolean | undefined;
  /** A tensor of the sample's type and length that takes the result; it may be one of the inputs. */
  out?: Tensor | undefined;
}

const STEP_OPTIONS: Record<keyof InverseStepOptions, undefined> = {
  prevTimestep: undefined,
  guidanceScale: undefined,
  guidanceRescale: undefined,
  returnDict: undefined,
  out: undefined,
};

/**
 * DDIM inversion (arXiv 2010.02502, section 4.3; diffusers' `DDIMInverseScheduler`): the same steps in ascending order,
 * each towards more noise.
 *
 * There is no noise to add, and so no eta; a prediction can be clipped, but neither thresholded nor rederived.
 *
 * @example
 * import { DDIMInverseScheduler } from "ddim-wasm";
 *
 * const inverse = new DDIMInverseScheduler({ betaSchedule: "scaled_linear", clipSample: false });
 * inverse.setTimesteps(50);
 * for (const t of inverse.timesteps) {
 *   sample = inverse.step(await model(sample, t), sample, t);
 * }
 */
export class DDIMInverseScheduler extends NoiseScheduler {
  /** The entry before each timestep, where that is what a step comes from. */
  #predecessors: Map<number, number> | null = null;

  /**
   * @param options see {@link DDIMSchedulerOptions}; `thresholding` is refused
   * @throws as {@link DDIMScheduler}
   */
  constructor(options: DDIMSchedulerOptions = {}) {
    super(options);
    if (this.config.thresholding) throw outOfRange("thresholding", "false for an inverse scheduler", true);
  }

  override toConfig(): Record<string, unknown> {
    return this.exportConfig("DDIMInverseScheduler");
  }

  /** @internal */
  protected override arrange(descending: Int32Array): Int32Array {
    return descending.slice().reverse();
  }

  /** The alpha product that the first step starts from: 1, or alphasCumprod[0] where `setAlphaToOne` is false. */
  get initialAlphaCumprod(): number {
    return this.outerAlphaCumprod;
  }

  override setTimesteps(steps: number | ArrayLike<number> | ArrayLike<bigint>): void {
    super.setTimesteps(steps);
    const follow = this.ownList || this.config.previousTimestep === "schedule";
    this.#predecessors = follow ? followers(this.timesteps.slice().reverse()) : null;
  }

  /**
   * One step of the inversion: from the sample at the timestep before `timestep` to the one at `timestep`.
   *
   * @param modelOutput what the model predicted: the sample's shape, or twice its batch with `guidanceScale`
   * @param sample the sample before the step, of any rank >= 1; its first dimension is the batch
   * @param timestep the destination, in [0, T - 1], or one for each batch element
   * @param options see {@link InverseStepOptions}
   * @returns the sample at `timestep` in the sample's container and shape, or `out`; with `returnDict` an object that
   * has x_0 too
   * @throws Error before setTimesteps; TypeError for a wrong kind of argument; RangeError for a wrong size or value.
   * Nothing has been written then
   * @example
   * sample = inverse.step(modelOutput, sample, t);
   */
  step<S extends Tensor, O extends Tensor>(
    modelOutput: Tensor,
    sample: S,
    timestep: Timesteps,
    options: InverseStepOptions & { returnDict: true; out: O },
  ): StepResult<O, ResultOf<S>>;
  step<S extends Tensor>(
    modelOutput: Tensor,
    sample: S,
    timestep: Timesteps,
    options: InverseStepOptions & { returnDict: true; out?: undefined },
  ): StepResult<ResultOf<S>>;
  step<O extends Tensor>(
    modelOutput: Tensor,
    sample: Tensor,
    timestep: Timesteps,
    options: InverseStepOptions & { returnDict?: false | undefined; out: O },
  ): O;
  step<S extends Tensor>(
    modelOutput: Tensor,
    sample: S,
    timestep: Timesteps,
    options?: InverseStepOptions & { returnDict?: false | undefined; out?: undefined },
  ): ResultOf<S>;
  step<S extends Tensor>(
    modelOutput: Tensor,
    sample: S,
    timestep: Timesteps,
    options: InverseStepOptions,
  ): ResultOf<S> | Tensor | StepResult<ResultOf<S> | Tensor, ResultOf<S>>;
  step(modelOutput: unknown, sample: unknown, timestep: unknown, options: InverseStepOptions = NO_OPTIONS): unknown {
    checkOptions("options", options, STEP_OPTIONS);
    const { prevTimestep, guidanceScale, guidanceRescale = 0, returnDict = false, out } = options;
    checkGuidance(guidanceScale, guidanceRescale);
    checkBoolean("returnDict", returnDict);

    // Read and check everything: from here on no code but the library's own runs.
    const guided = guidanceScale !== undefined;
    const x = readOperand(sample, "sample");
    const m = readMatching(modelOutput, "modelOutput", x, guided ? 2 : 1);
    const t = this.readTimesteps("timestep", timestep);
    const batch = readBatch(x, "timestep", t);
    const s = prevTimestep === undefined ? this.#sources(t) : this.readTargets(prevTimestep, batch);
    this.#checkInvertible(s);
    const next = readResult(out, x);
    const original = returnDict ? readResult(undefined, x) : null;

    const inputs = {
      sample: apartFrom(next.values, x.values),
      modelOutput: apartFrom(next.values, m.values),
      guidance: guidanceScale,
    };
    const { clipSample, clipSampleRange, predictionType } = this.config;
    const shared = typeof t === "number" && guidanceRescale === 0;
    const length = x.data.length / batch;
    this.compute(next, original, inputs, null, batch, shared, (record, element) => {
      const alpha = this.alphaAt(timestepOf(s, element));
      const alphaTarget = this.alphasCumprod[timestepOf(t, element)]!;
      setStep(record, predictionType, alpha, alphaTarget, 0, clipSample ? clipSampleRange : 0, false);
      if (guidanceRescale > 0) this.rescaleGuidance(record, guidanceRescale, inputs, element * length, length);
    });
    return original ? { prevSample: next.tensor, predOriginalSample: original.tensor } : next.tensor;
  }

  #sources(t: ReadTimesteps): ReadTimesteps {
    return typeof t === "number" ? this.#sourceOf(t) : t.map((ti) => this.#sourceOf(ti));
  }

  /** The timestep that a step to `t` comes from; negative before the first. */
  #sourceOf(t: number): number {
    const steps = this.numInferenceSteps;
    if (steps === null) throw new Error("call setTimesteps first: how far a step goes depends on how many there are");
    const { numTrainTimesteps } = this.config;
    if (this.#predecessors === null) {
      return Math.min(t - Math.floor(numTrainTimesteps / steps), numTrainTimesteps - 1);
    }
    const source = this.#predecessors.get(t);
    if (source === undefined) throw outOfRange("timestep", "one of scheduler.timesteps", t);
    return source;
  }

  #checkInvertible(s: ReadTimesteps): void {
    this.checkSolvable(s);
    const sources = typeof s === "number" ? [s] : s;
    if (this.config.predictionType !== "sample" || sources.every((si) => this.alphaAt(si) < 1)) return;
    throw new RangeError(
      '"predictionType" "sample" cannot tell the noise at the start of an inversion, where there is none: use setAlphaToOne: false',
    );
  }
}
