// What the schedulers have in common. A sampler adds a definition (its name, options and direction) and says what its step
// is a mixture of.

import { Generator, seedGenerator } from "../random/generator.js";
import type { RandomState } from "../kernels/noise.js";
import type { Instance } from "../module/instance.js";
import { type Mixture, setCombination } from "../schedule/coefficients.js";
import type { CommonOptions, SchedulerOptions } from "../schedule/options.js";
import type { Operand, ResultOf, Tensor } from "../tensor/tensor.js";
import { NoiseLevels } from "./noise-levels.js";
import type { ReadTimesteps, Timesteps } from "./operands.js";
import type { ReadHistory } from "./sampler.js";
import { combine, takeStep } from "./step.js";
import type { OutOptions, ReadStep, SharedStepOptions, StepResult } from "./step-options.js";

/**
 * A scheduler of any sampler.
 *
 * @typeParam O its options
 * @typeParam S its step's options
 * @example
 * import type { Scheduler } from "ddim-wasm";
 * function countSteps(scheduler: Scheduler): number {
 *   return scheduler.timesteps.length;
 * }
 */
export abstract class Scheduler<
  O extends SchedulerOptions = CommonOptions,
  S extends SharedStepOptions = SharedStepOptions,
> extends NoiseLevels<O> {
  /** Source of noise where none is given. */
  #generator: Generator | undefined;

  /** @internal Whether a value is a scheduler of this copy of the library: neither a proxy of one, nor like one. */
  static isScheduler(value: unknown): value is Scheduler {
    return typeof value === "object" && value !== null && #generator in value;
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
  addNoise<R extends Tensor>(
    originalSamples: Tensor,
    noise: Tensor,
    timesteps: Timesteps,
    options: OutOptions & { out: R },
  ): R;
  addNoise<X extends Tensor>(
    originalSamples: X,
    noise: Tensor,
    timesteps: Timesteps,
    options?: OutOptions & { out?: undefined },
  ): ResultOf<X>;
  addNoise<X extends Tensor>(
    originalSamples: X,
    noise: Tensor,
    timesteps: Timesteps,
    options: OutOptions,
  ): ResultOf<X> | Tensor;
  addNoise(originalSamples: unknown, noise: unknown, timesteps: unknown, options?: OutOptions): unknown {
    return combine(this, "originalSamples", originalSamples, noise, timesteps, options, setCombination);
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
  getVelocity<R extends Tensor>(
    sample: Tensor,
    noise: Tensor,
    timesteps: Timesteps,
    options: OutOptions & { out: R },
  ): R;
  getVelocity<X extends Tensor>(
    sample: X,
    noise: Tensor,
    timesteps: Timesteps,
    options?: OutOptions & { out?: undefined },
  ): ResultOf<X>;
  getVelocity<X extends Tensor>(
    sample: X,
    noise: Tensor,
    timesteps: Timesteps,
    options: OutOptions,
  ): ResultOf<X> | Tensor;
  getVelocity(sample: unknown, noise: unknown, timesteps: unknown, options?: OutOptions): unknown {
    return combine(this, "sample", sample, noise, timesteps, options, (into, signal, deviation) =>
      setCombination(into, -deviation, signal),
    );
  }

  /**
   * One step of the sampler: from the sample at `timestep` to the next one of the run.
   *
   * @param modelOutput what the model predicted: the sample's shape, or twice its batch with `guidanceScale`
   * @param sample the sample before the step, of any rank >= 1; its first dimension is the batch
   * @param timestep t in [0, T - 1], or one for each batch element
   * @param options the sampler's step options
   * @returns the sample after the step in the container and shape of `sample`, or `out`; with `returnDict` an object
   * that has x_0 too
   * @throws Error before setTimesteps; TypeError for a wrong kind of argument; RangeError for a wrong size or value,
   * and for epsilon prediction at a timestep that has no signal left. Nothing has been written then
   * @example
   * sample = scheduler.step(modelOutput, sample, t);
   * const { predOriginalSample } = scheduler.step(modelOutput, sample, t, { returnDict: true });
   */
  step<X extends Tensor, R extends Tensor>(
    modelOutput: Tensor,
    sample: X,
    timestep: Timesteps,
    options: S & { returnDict: true; out: R },
  ): StepResult<R, ResultOf<X>>;
  step<X extends Tensor>(
    modelOutput: Tensor,
    sample: X,
    timestep: Timesteps,
    options: S & { returnDict: true; out?: undefined },
  ): StepResult<ResultOf<X>>;
  step<R extends Tensor>(
    modelOutput: Tensor,
    sample: Tensor,
    timestep: Timesteps,
    options: S & { returnDict?: false | undefined; out: R },
  ): R;
  step<X extends Tensor>(
    modelOutput: Tensor,
    sample: X,
    timestep: Timesteps,
    options?: S & { returnDict?: false | undefined; out?: undefined },
  ): ResultOf<X>;
  step<X extends Tensor>(
    modelOutput: Tensor,
    sample: X,
    timestep: Timesteps,
    options: S,
  ): ResultOf<X> | Tensor | StepResult<ResultOf<X> | Tensor, ResultOf<X>>;
  step(modelOutput: unknown, sample: unknown, timestep: unknown, options?: S): unknown {
    return takeStep(this, modelOutput, sample, timestep, options);
  }

  /** @internal Sets what a step of a batch element from one timestep to another is a mixture of. */
  abstract mix(
    into: Mixture,
    from: number,
    to: number,
    step: ReadStep,
    history: ReadHistory | null,
    element: number,
  ): void;

  /** @internal Whether a step to these timesteps takes noise, or its history in the place of that. */
  abstract takesNoise(step: ReadStep, to: ReadTimesteps, history: ReadHistory | null): boolean;

  /** @internal The history of a step from these timesteps, of samplers that have one. */
  readHistory?(core: Instance, step: ReadStep, sample: Operand, batch: number, from: ReadTimesteps): ReadHistory | null;

  /** @internal */
  ownGenerator(): RandomState {
    return Generator.stateOf((this.#generator ??= seedGenerator()))!;
  }
}
