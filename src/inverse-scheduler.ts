// DDIM in the other direction: from an image to the noise that it is sampled from.

import { boolean, finite, type OptionTable, readOptions, share } from "./checks.js";
import type { DDIMSchedulerOptions } from "./config.js";
import { outOfRange } from "./errors.js";
import { NO_OPTIONS, NoiseScheduler, type SharedStepOptions } from "./noise-scheduler.js";
import type { Timesteps } from "./operands.js";
import type { StepResult } from "./scheduler.js";
import type { ResultOf, Tensor } from "./tensor.js";

/** Options of {@link DDIMInverseScheduler.step}. */
export interface InverseStepOptions extends SharedStepOptions {}

const STEP_OPTIONS = {
  prevTimestep: [undefined],
  guidanceScale: [undefined, finite],
  guidanceRescale: [0, share],
  returnDict: [false, boolean],
  out: [undefined],
} satisfies OptionTable<InverseStepOptions>;

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
    const step = readOptions("options", options, STEP_OPTIONS);
    return this.takeStep(modelOutput, sample, timestep, { ...step, inverse: true });
  }
}
