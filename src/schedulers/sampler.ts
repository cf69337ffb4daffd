// What a call has to know of a scheduler.

import type { RandomState } from "../kernels/noise.js";
import type { Instance } from "../module/instance.js";
import type { Mixture } from "../schedule/coefficients.js";
import type { ConfigOf, SchedulerOptions } from "../schedule/options.js";
import type { Operand } from "../tensor/tensor.js";
import type { ReadTimesteps } from "./operands.js";
import type { ReadStep, StepDefinition } from "./step-options.js";

export interface Sampler {
  readonly definition: StepDefinition;
  readonly settings: ConfigOf<SchedulerOptions>;
  /** The alpha product at a timestep; a negative one lies beyond the schedule. */
  alphaAt(timestep: number): number;
  /** The timestep on the other side of the step that starts, or in an inversion ends, at `t`. */
  otherSideOf(t: number): number;
  /** Sets what a step of a batch element from one timestep to another is a mixture of. */
  mix(into: Mixture, from: number, to: number, step: ReadStep, history: ReadHistory | null, element: number): void;
  /** Whether a step to these timesteps takes noise, or its history in the place of that. */
  takesNoise(step: ReadStep, to: ReadTimesteps, history: ReadHistory | null): boolean;
  /** The history of a step from these timesteps, of samplers that have one. */
  readHistory?(core: Instance, step: ReadStep, sample: Operand, batch: number, from: ReadTimesteps): ReadHistory | null;
  /** The generator of a step to which none is given. */
  ownGenerator(): RandomState;
}

/** What an earlier step predicted, and where it started. */
export interface ReadHistory {
  readonly original: Operand;
  readonly timesteps: ReadTimesteps;
  /** How many steps their run has. */
  readonly total: number;
}
