// The scheduler that a model's folder asks for.

import { outOfRange, shorten } from "../checks/errors.js";
import { parse } from "../schedule/config-file.js";
import type { SchedulerOptions } from "../schedule/options.js";
import { DDIMInverseScheduler } from "./ddim-inverse.js";
import { DDIMScheduler } from "./ddim.js";
import type { DistilledSchedulerOptions } from "./distilled.js";
import { DPMSolverMultistepScheduler, type DPMSolverMultistepSchedulerOptions } from "./dpm-solver-multistep.js";
import { LCMScheduler } from "./lcm.js";
import { type ConfigReporting, readReporting } from "./noise-levels.js";
import type { Scheduler } from "./scheduler.js";
import { TCDScheduler } from "./tcd.js";

/** The samplers, each of which a pipeline takes. Whichever it is, its step takes the options that all have. */
export type AnyScheduler = Pick<Scheduler, "step"> &
  (DDIMScheduler | LCMScheduler | TCDScheduler | DPMSolverMultistepScheduler);

/** Options of any scheduler. */
export interface AnySchedulerOptions
  extends SchedulerOptions, DistilledSchedulerOptions, DPMSolverMultistepSchedulerOptions {}

const CLASSES = [DDIMScheduler, DDIMInverseScheduler, LCMScheduler, TCDScheduler, DPMSolverMultistepScheduler] as const;

/** diffusers' classes of the same noise schedule. */
const REPLACED =
  /^(PNDM|DD[IP]M(Parallel)?|(Euler|KDPM2)(Ancestral)?Discrete|(Heun|LMS)Discrete|DPMSolver(Singlestep|SDE)|(DEIS|UniPC)Multistep|SASolver)Scheduler$/;

/**
 * A scheduler from a diffusers scheduler_config.json: of the class that its `_class_name` names.
 *
 * For a class of the same noise schedule that is not here (PNDM, DDPM, Euler, Heun, LMS, KDPM2, UniPC, DEIS, ...) it is a
 * {@link DDIMScheduler}, with a warning.
 *
 * @param config the file's text, or its parsed object
 * @param overrides options that replace those of the file; the class has to have them
 * @param reporting as `fromConfig` takes it
 * @returns one of the samplers; a {@link DDIMInverseScheduler} for a configuration of that class
 * @throws as `fromConfig`; RangeError for any other class, or none
 * @example
 * import { schedulerFromConfig } from "ddim-wasm";
 * const scheduler = schedulerFromConfig('{ "_class_name": "LCMScheduler", "original_inference_steps": 50 }');
 * scheduler.setTimesteps(4);
 */
export function schedulerFromConfig(
  config: { readonly _class_name: "DDIMInverseScheduler" },
  overrides?: SchedulerOptions,
  reporting?: ConfigReporting,
): DDIMInverseScheduler;
export function schedulerFromConfig(
  config: string | object,
  overrides?: AnySchedulerOptions,
  reporting?: ConfigReporting,
): AnyScheduler;
export function schedulerFromConfig(
  config: string | object,
  overrides?: AnySchedulerOptions,
  reporting?: ConfigReporting,
): AnyScheduler | DDIMInverseScheduler {
  const warn = readReporting(reporting);
  const parsed = parse(config);
  const name = parsed["_class_name"];
  const Found = CLASSES.find(({ definition }) => definition.className === name);
  if (Found) return (Found as typeof DDIMScheduler).fromConfig(parsed, overrides, reporting);
  if (typeof name !== "string" || !REPLACED.test(name)) {
    const names = CLASSES.map(({ definition }) => definition.className).join(", ");
    throw outOfRange("config._class_name", `${names}, or a class that DDIM may stand in for`, name);
  }
  const scheduler = DDIMScheduler.fromConfig(parsed, overrides as SchedulerOptions, reporting);
  warn(`config: a DDIMScheduler stands in for the ${shorten(name)} that it names, with the same noise schedule`);
  return scheduler;
}
