// What is compared: samplers, each with a way to keep the predicted picture within its range, and the numbers of model
// calls that each is given.

import { DDIMScheduler, DPMSolverMultistepScheduler } from "ddim-wasm";
import { SCHEDULE } from "./digits.js";

export const CALLS = [4, 5, 6, 8, 10, 12, 15, 20, 25, 50];

export const CONVERGED_CALLS = 1000;

/**
 * A threshold of at most 1 clips the predicted picture to [-1, 1]: what DDIM calls clipSample, and all that DPM-Solver++
 * has. DPM-Solver++ takes the noise that belongs to the clipped picture, and DDIM does under useClippedModelOutput: so
 * with the same name here both solve the same equation.
 */
export const CLIPPINGS = {
  "not clipped": { ddim: { clipSample: false }, dpm: {}, step: {} },
  clipped: {
    ddim: { clipSample: true, clipSampleRange: 1 },
    dpm: { thresholding: true, sampleMaxValue: 1 },
    step: { useClippedModelOutput: true },
  },
};

/** Options of schedulers by the name of their row. */
const DDIM = {
  "DDIM, leading": { timestepSpacing: "leading" },
  "DDIM, linspace": { timestepSpacing: "linspace" },
  "DDIM, linspace, schedule": { timestepSpacing: "linspace", previousTimestep: "schedule" },
  "DDIM, trailing": { timestepSpacing: "trailing" },
  "DDIM, trailing, schedule": { timestepSpacing: "trailing", previousTimestep: "schedule" },
};
const DPM = {
  "DPM-Solver++ 1, linspace": { timestepSpacing: "linspace", solverOrder: 1 },
  "DPM-Solver++ 2, leading": { timestepSpacing: "leading" },
  "DPM-Solver++ 2, linspace": { timestepSpacing: "linspace" },
  "DPM-Solver++ 2, trailing": { timestepSpacing: "trailing" },
};

export const SAMPLERS = [...Object.keys(DDIM), ...Object.keys(DPM)];

/**
 * @param {string} sampler one of SAMPLERS
 * @param {keyof CLIPPINGS} clipping
 * @returns the scheduler, and what its steps take
 */
export function makeSampler(sampler, clipping) {
  const { ddim, dpm, step } = CLIPPINGS[clipping];
  return sampler in DDIM
    ? { scheduler: new DDIMScheduler({ ...SCHEDULE, ...DDIM[sampler], ...ddim }), stepOptions: step }
    : { scheduler: new DPMSolverMultistepScheduler({ ...SCHEDULE, ...DPM[sampler], ...dpm }), stepOptions: {} };
}
