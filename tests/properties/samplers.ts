// Schedulers of every sampler, with any of their options.

import * as fc from "../fast-check.js";
import { type Library, SAMPLERS } from "../implementations.js";

export type SamplerName = (typeof SAMPLERS)[number];

/** A scheduler that can be made, and a number of steps that it takes. */
export interface SamplerCase {
  readonly sampler: SamplerName;
  readonly options: Readonly<Record<string, unknown>>;
  readonly steps: number;
}

const shared = {
  numTrainTimesteps: fc.constantFrom(10, 37, 100, 1000),
  betaStart: fc.constantFrom(0.0001, 0.00085),
  betaEnd: fc.constantFrom(0.012, 0.02, 0.03),
  betaSchedule: fc.constantFrom("linear", "scaled_linear", "squaredcos_cap_v2", "sigmoid"),
  predictionType: fc.constantFrom("epsilon", "sample", "v_prediction"),
  thresholding: fc.boolean(),
  sampleMaxValue: fc.constantFrom(0.5, 1, 3),
  dynamicThresholdingRatio: fc.constantFrom(0.1, 0.9, 0.995, 1),
  rescaleBetasZeroSnr: fc.boolean(),
  timestepSpacing: fc.constantFrom("linspace", "leading", "trailing"),
  stepsOffset: fc.constantFrom(0, 1, 3),
  computeDtype: fc.constantFrom("float32", "float16"),
};

const clipping = {
  clipSample: fc.boolean(),
  clipSampleRange: fc.constantFrom(0.5, 1, 2.5),
  setAlphaToOne: fc.boolean(),
};

const ddim = { ...shared, ...clipping, previousTimestep: fc.constantFrom("stride", "schedule") };

// What LCM and TCD ignore is told on the console: they are given no such option.
const { timestepSpacing: _spacing, stepsOffset: _offset, ...distilled } = shared;
const originalInferenceSteps = fc.constantFrom(10, 20, null);

const OPTIONS: Record<SamplerName, Record<string, fc.Arbitrary<unknown>>> = {
  DDIMScheduler: ddim,
  DDIMInverseScheduler: without(ddim, "thresholding"),
  LCMScheduler: {
    ...distilled,
    ...without(clipping, "setAlphaToOne"),
    originalInferenceSteps,
    timestepScaling: fc.constantFrom(0.01, 1, 10),
  },
  TCDScheduler: { ...without(distilled, "thresholding"), setAlphaToOne: fc.boolean(), originalInferenceSteps },
  DPMSolverMultistepScheduler: {
    ...shared,
    solverOrder: fc.constantFrom(1, 2),
    solverType: fc.constantFrom("midpoint", "heun"),
    lowerOrderFinal: fc.boolean(),
    eulerAtFinal: fc.boolean(),
    finalSigmasType: fc.constantFrom("zero", "sigma_min"),
  },
};

function without<T extends object>(options: T, name: keyof T & string): Record<string, fc.Arbitrary<unknown>> {
  return Object.fromEntries(Object.entries(options).filter(([key]) => key !== name));
}

/** Leaves out what cannot go together: there is nothing to solve for where no signal, or no noise, is left. */
function solvable(sampler: SamplerName, options: Record<string, unknown>): Record<string, unknown> {
  const { predictionType = "epsilon", rescaleBetasZeroSnr, timestepSpacing = "leading" } = options;
  const solved = { ...options };
  const isDistilled = sampler === "LCMScheduler" || sampler === "TCDScheduler";
  if (isDistilled && (options["numTrainTimesteps"] as number) < 50) solved["originalInferenceSteps"] = 10;
  if (rescaleBetasZeroSnr && predictionType === "epsilon") solved["predictionType"] = "v_prediction";
  if (sampler === "DDIMInverseScheduler" && predictionType === "sample") solved["setAlphaToOne"] = false;
  if (timestepSpacing === "leading") delete solved["stepsOffset"];
  return solved;
}

/** A scheduler of any of the samplers given. */
export function samplerCases(samplers: readonly SamplerName[] = SAMPLERS): fc.Arbitrary<SamplerCase> {
  return fc.constantFrom(...samplers).chain((sampler) =>
    fc
      .record({
        sampler: fc.constant(sampler),
        options: fc.record(OPTIONS[sampler], { requiredKeys: [] }).map((options) => solvable(sampler, options)),
        steps: fc.integer({ min: 1, max: 8 }),
      })
      .map((drawn) => drawn as SamplerCase),
  );
}

/** The scheduler of a case, set to its steps. */
export function makeScheduler(library: Library, { sampler, options, steps }: SamplerCase): any {
  const scheduler = new library[sampler](options as object);
  scheduler.setTimesteps(steps);
  return scheduler;
}
