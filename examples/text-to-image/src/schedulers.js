// The samplers by their short names, made from the scheduler's configuration in a model's folder.

import { DDIMScheduler, DPMSolverMultistepScheduler, LCMScheduler, schedulerFromConfig, TCDScheduler } from "ddim-wasm";

const SCHEDULERS = {
  ddim: DDIMScheduler,
  dpm: DPMSolverMultistepScheduler,
  lcm: LCMScheduler,
  tcd: TCDScheduler,
};

export const SAMPLERS = /** @type {(keyof typeof SCHEDULERS)[]} */ (Object.keys(SCHEDULERS));
export const SPACINGS = ["leading", "trailing", "linspace"];
export const PRECISIONS = ["float32", "float16"];

/**
 * @typedef {object} SchedulerChoice
 * @property {"ddim" | "dpm" | "lcm" | "tcd"} [sampler] default: what the configuration names
 * @property {"leading" | "trailing" | "linspace"} [spacing] of the timesteps, for ddim and dpm; default: the configuration's
 * @property {"float32" | "float16"} [precision] of the sampler's results; default: the configuration's
 */

/**
 * @param {object} config a scheduler_config.json
 * @param {SchedulerChoice} choice
 * @param {import("ddim-wasm").ConfigReporting} [reporting]
 * @returns {import("ddim-wasm").AnyScheduler}
 */
export function makeScheduler(config, { sampler, spacing, precision }, reporting) {
  const overrides = {
    ...(spacing && { timestepSpacing: spacing }),
    ...(precision && { computeDtype: precision }),
  };
  const scheduler = sampler
    ? SCHEDULERS[sampler].fromConfig(config, overrides, reporting)
    : schedulerFromConfig(config, overrides, reporting);
  if (spacing && scheduler.config.timestepSpacing !== spacing) {
    throw new RangeError(`spacing "${spacing}": ${samplerOf(scheduler)} spreads its timesteps in a way of its own`);
  }
  return scheduler;
}

/** The short name of a scheduler. */
export function samplerOf(scheduler) {
  return SAMPLERS.find((name) => scheduler instanceof SCHEDULERS[name]);
}
