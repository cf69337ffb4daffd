// DDIM in the other direction: from an image to the noise that it is sampled from.

import type { Mixture } from "../schedule/coefficients.js";
import { SHARED_OPTIONS } from "../schedule/options.js";
import { type DDIMSchedulerOptions, mixDDIM } from "./ddim.js";
import { Scheduler } from "./scheduler.js";
import { type Definition, SHARED_STEP_OPTIONS, type SharedStepOptions } from "./step-options.js";

/** Options of {@link DDIMInverseScheduler.step}. */
export interface InverseStepOptions extends SharedStepOptions {}

/**
 * DDIM inversion (arXiv 2010.02502, section 4.3; diffusers' `DDIMInverseScheduler`): the same steps in ascending order,
 * each towards more noise. The timestep passed to `step` is the destination.
 *
 * There is no noise to add, and so no eta. A prediction can be clipped, but not rederived; `thresholding` is ignored
 * with a warning, as in diffusers.
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
export class DDIMInverseScheduler extends Scheduler<DDIMSchedulerOptions, InverseStepOptions> {
  /** @internal */
  static get definition(): Definition<DDIMSchedulerOptions> {
    return DDIM_INVERSE;
  }

  /** The alpha product that the first step starts from: 1, or alphasCumprod[0] where `setAlphaToOne` is false. */
  get initialAlphaCumprod(): number {
    return this.outerAlphaCumprod;
  }

  /** @internal */
  override mix(into: Mixture, _from: number, to: number): void {
    mixDDIM(into, this.alphaAt(to), 0);
  }

  /** @internal */
  override takesNoise(): boolean {
    return false;
  }
}

const DDIM_INVERSE: Definition<DDIMSchedulerOptions> = {
  className: "DDIMInverseScheduler",
  options: SHARED_OPTIONS,
  missing: { betaSchedule: "linear" },
  ignored: { thresholding: false },
  stepOptions: SHARED_STEP_OPTIONS,
  direction: "invert",
};
