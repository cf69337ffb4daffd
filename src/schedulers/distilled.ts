// What samplers of distilled models have in common: their steps are some of those that the model was distilled with.

import { boolean, type Check, count, finite, isArrayLike, positive } from "../checks/checks.js";
import { outOfRange } from "../checks/errors.js";
import type { Entries } from "../checks/options.js";
import { BETA_SCHEDULES, CLIPPING_OPTIONS, type SchedulerOptions } from "../schedule/options.js";
import { checkSteps } from "../schedule/timesteps.js";
import { Scheduler } from "./scheduler.js";
import type { SharedStepOptions } from "./step-options.js";

/**
 * Options of {@link LCMScheduler} and {@link TCDScheduler}. The schedule's defaults are "scaled_linear" from 0.00085 to
 * 0.012, without clipping. `timestepSpacing` and `stepsOffset` are ignored with a warning.
 */
export interface DistilledSchedulerOptions extends Omit<SchedulerOptions, "previousTimestep"> {
  /**
   * How many steps, evenly spread, the model was distilled with: an integer in [1, T]; null for all T. Those of a run are
   * some of them. Default 50.
   */
  originalInferenceSteps?: number | null | undefined;
  /** What LCM's boundary condition multiplies timesteps by, > 0. {@link TCDScheduler} ignores it. Default 10. */
  timestepScaling?: number | undefined;
}

const countOrNull: Check<number | null> = (name, value) => (value === null ? null : count(name, value));

type OwnDefault = "betaStart" | "betaEnd" | "betaSchedule" | "clipSample";

export const DISTILLED_OPTIONS = /* @__PURE__ */ CLIPPING_OPTIONS.extend({
  betaStart: [0.00085, finite],
  betaEnd: [0.012, finite],
  betaSchedule: ["scaled_linear", BETA_SCHEDULES],
  clipSample: [false, boolean],
  originalInferenceSteps: [50, countOrNull],
  timestepScaling: [10, positive],
} satisfies Entries<Pick<DistilledSchedulerOptions, OwnDefault | "originalInferenceSteps" | "timestepScaling">>);

/**
 * A scheduler of a distilled model.
 *
 * @typeParam S its step's options
 */
export abstract class DistilledScheduler<S extends SharedStepOptions> extends Scheduler<DistilledSchedulerOptions, S> {
  #hasOwnList = false;

  /** The alpha product after the last step. */
  get finalAlphaCumprod(): number {
    return this.outerAlphaCumprod;
  }

  /**
   * Sets how many steps a run takes, or which (arXiv 2310.04378, section 4.3): some of the steps of distillation, from
   * the noisiest on.
   *
   * @param steps N, an integer in [1, originalInferenceSteps]; or a list of timesteps, strictly descending within
   * [0, T - 1]
   * @throws TypeError or RangeError for anything else; the scheduler stays as it was
   * @example
   * import { LCMScheduler } from "ddim-wasm";
   * const scheduler = new LCMScheduler();
   * scheduler.setTimesteps(4); // 999, 759, 499, 259
   */
  override setTimesteps(steps: number | ArrayLike<number> | ArrayLike<bigint>): void {
    const own = isArrayLike(steps);
    super.setTimesteps(own ? steps : this.#pick(steps, 1));
    this.#hasOwnList = own;
  }

  /** @internal As in diffusers: all steps of a run are picked from those of distillation on that share of the way. */
  override spreadOver(strength: number): Int32Array | undefined {
    return this.#hasOwnList ? undefined : this.#pick(this.numInferenceSteps, strength);
  }

  /** `count` of the steps of distillation on a share of the way. */
  #pick(count: unknown, strength: number): Int32Array {
    const { numTrainTimesteps } = this.settings;
    const original = this.config.originalInferenceSteps ?? numTrainTimesteps;
    if (original > numTrainTimesteps) {
      throw outOfRange("originalInferenceSteps", `at most numTrainTimesteps = ${numTrainTimesteps}`, original);
    }
    const stride = Math.floor(numTrainTimesteps / original);
    const available = Math.floor(original * strength);
    const meaning = strength < 1 ? "originalInferenceSteps * strength" : "originalInferenceSteps";
    const timesteps = new Int32Array(checkSteps(count, available, meaning));
    // As numpy.linspace, without its end: the distance first, then its multiples.
    const distance = available / timesteps.length;
    return timesteps.map((_, i) => (available - Math.floor(i * distance)) * stride - 1);
  }
}
