// The samplers, set up for this model: the noise schedule that it was trained with, and pixels kept within [-1, 1].

import { DDIMScheduler, DPMSolverMultistepScheduler } from "ddim-wasm";

export const betaSchedule = "squaredcos_cap_v2";

/** By the name of the option. Thresholding at 1, which is its default, is clipping. */
const SCHEDULERS = {
  ddim: (options) => new DDIMScheduler({ ...options, clipSample: true }),
  dpm: (options) => new DPMSolverMultistepScheduler({ ...options, thresholding: true }),
};

export const SAMPLERS = Object.keys(SCHEDULERS);

/**
 * The steps that each needs, and the timesteps that suit it.
 *
 * @type {Record<"ddim" | "dpm", { steps: number, spacing: import("ddim-wasm").TimestepSpacing }>}
 */
export const SAMPLER_DEFAULTS = {
  ddim: { steps: 20, spacing: "leading" },
  dpm: { steps: 10, spacing: "trailing" },
};

/**
 * @param {object} choice
 * @param {"ddim" | "dpm"} choice.scheduler
 * @param {import("ddim-wasm").TimestepSpacing} choice.spacing
 * @param {import("ddim-wasm").DType} [choice.precision] of the sampler's results
 * @returns {DDIMScheduler | DPMSolverMultistepScheduler}
 */
export function makeScheduler({ scheduler, spacing: timestepSpacing, precision: computeDtype = "float32" }) {
  return SCHEDULERS[scheduler]({ betaSchedule, timestepSpacing, computeDtype });
}
