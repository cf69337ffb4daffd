// The DDIM scheduler.

import { boolean, finite, type OptionTable, readOptions, share } from "./checks.js";
import type { Generator } from "./generator.js";
import { NO_OPTIONS, NoiseScheduler, type SharedStepOptions } from "./noise-scheduler.js";
import type { Timesteps } from "./operands.js";
import { isTensor, type ResultOf, type Tensor } from "./tensor.js";

/** Options of {@link DDIMScheduler.step}. */
export interface StepOptions extends SharedStepOptions {
  /** How much of DDPM's noise is added, in [0, 1]: 0 is DDIM, 1 is DDPM. Default 0. */
  eta?: number | undefined;
  /** Derive eps again from the clipped or thresholded prediction. Default false. */
  useClippedModelOutput?: boolean | undefined;
  /** Source of the noise for eta > 0: one generator, or a list with one for each batch element. */
  generator?: Generator | readonly Generator[] | undefined;
  /** The noise itself, in place of a generator. */
  varianceNoise?: Tensor | undefined;
}

// Spelled out: a table put together of others would stay in every bundle.
const STEP_OPTIONS = {
  eta: [0, share],
  useClippedModelOutput: [false, boolean],
  generator: [undefined],
  varianceNoise: [undefined],
  prevTimestep: [undefined],
  guidanceScale: [undefined, finite],
  guidanceRescale: [0, share],
  returnDict: [false, boolean],
  out: [undefined],
} satisfies OptionTable<StepOptions>;

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
    const step = readOptions("options", options, STEP_OPTIONS);
    return this.takeStep(modelOutput, sample, timestep, step);
  }
}
