// A call of a scheduler: its arguments read and checked, its formula, and the kernels' run.

import { outOfRange } from "../checks/errors.js";
import type { OptionTable } from "../checks/options.js";
import { Coefficients } from "../kernels/coefficients.js";
import { type Formula, updateTensor } from "../kernels/update.js";
import type { RandomState } from "../kernels/noise.js";
import { useInstance } from "../module/default.js";
import { Generator } from "../random/generator.js";
import { epsilonIsSolvable, Mixture, root, setStep } from "../schedule/coefficients.js";
import type { ConfigOf, SchedulerOptions } from "../schedule/options.js";
import { checkUnchanged, isTensor, makeLike, readOperand } from "../tensor/tensor.js";
import {
  apartFrom,
  elsewhere,
  readBatch,
  readDoubled,
  readGenerators,
  readMatching,
  readResult,
  type ReadTimesteps,
  readTimesteps,
  timestepOf,
} from "./operands.js";
import { checkGuidance, OUT_OPTIONS, type ReadStep } from "./step-options.js";

/** What a call has to know of a scheduler. */
export interface Sampler {
  readonly definition: { readonly stepOptions: OptionTable; readonly direction: "denoise" | "invert" };
  readonly settings: ConfigOf<SchedulerOptions>;
  /** The alpha product at a timestep; a negative one lies beyond the schedule. */
  alphaAt(timestep: number): number;
  /** The timestep on the other side of the step that starts, or in an inversion ends, at `t`. */
  otherSideOf(t: number): number;
  /** Sets what a step from one timestep to another is a mixture of. */
  mix(into: Mixture, from: number, to: number, step: ReadStep): void;
  /** Whether a step draws noise. */
  drawsNoise(step: ReadStep): boolean;
  /** The generator of a step to which none is given. */
  ownGenerator(): RandomState;
}

/** Whether results are rounded to the values of halves. */
function rounds(sampler: Sampler): boolean {
  return sampler.settings.computeDtype === "float16";
}

/** A combination of a sample and noise whose coefficients, `set` from signal and noise, depend on a timestep. */
export function combine(
  sampler: Sampler,
  name: string,
  sample: unknown,
  noise: unknown,
  timesteps: unknown,
  options: unknown,
  set: SetCombination,
): unknown {
  const core = useInstance();
  const { out } = OUT_OPTIONS.read("options", options);
  const x = readOperand(core, sample, name);
  const z = readMatching(core, noise, "noise", x);
  const batch = readBatch("timesteps", x, timesteps);
  const t = readTimesteps("timesteps", timesteps, batch, 0, lastTimestep(sampler));
  const result = readResult(core, out, x);
  checkUnchanged(x);
  checkUnchanged(z);
  checkUnchanged(result);
  const formula = new CombinationFormula(sampler, t, set);
  const inputs =
    out === undefined
      ? { sample: x, modelOutput: z, guidance: undefined }
      : { sample: apartFrom(core, result, x), modelOutput: apartFrom(core, result, z), guidance: undefined };
  updateTensor(core, result, null, inputs, null, formula, batch, rounds(sampler));
  return result.tensor;
}

/** A step, from its unread arguments. */
export function takeStep(
  sampler: Sampler,
  modelOutput: unknown,
  sample: unknown,
  timestep: unknown,
  options: unknown,
): unknown {
  if (isTensor(timestep) && !isTensor(sample)) {
    throw new TypeError(
      '"step" expected (modelOutput, sample, timestep), got the timestep before the sample, which is diffusers\' order',
    );
  }
  const core = useInstance();
  const step = sampler.definition.stepOptions.read("options", options) as ReadStep;
  const { guidanceScale, returnDict, out, generator, varianceNoise } = step;
  checkGuidance(step);
  if (generator !== undefined && varianceNoise !== undefined) {
    throw new TypeError('"generator" expected no "varianceNoise" beside it: give one source of noise');
  }

  // Read and check everything: from here on no code but the library's own runs.
  const x = readOperand(core, sample, "sample");
  const batch = readBatch("timestep", x, timestep);
  const m =
    guidanceScale === undefined
      ? readMatching(core, modelOutput, "modelOutput", x)
      : readDoubled(core, modelOutput, "modelOutput", x, batch);
  const t = readTimesteps("timestep", timestep, batch, 0, lastTimestep(sampler));
  const other = readOtherSide(sampler, step.prevTimestep, t, batch);
  const inverting = sampler.definition.direction === "invert";
  const from = inverting ? other : t;
  const to = inverting ? t : other;
  checkSolvable(sampler, from);
  const generators = generator === undefined ? null : readGenerators(generator, batch);
  const z = varianceNoise === undefined ? null : readMatching(core, varianceNoise, "varianceNoise", x);
  const prev = readResult(core, out, x);
  const original = returnDict ? makeLike(core, x) : null;
  checkUnchanged(x);
  checkUnchanged(m);
  checkUnchanged(prev);
  if (z) checkUnchanged(z);

  const inputs =
    out === undefined
      ? { sample: x, modelOutput: m, guidance: guidanceScale }
      : { sample: apartFrom(core, prev, x), modelOutput: apartFrom(core, prev, m), guidance: guidanceScale };
  const noise = !sampler.drawsNoise(step) ? null : z ? elsewhere(core, prev, z) : statesOf(generators, sampler);
  const formula = new StepFormula(sampler, step, from, to);
  updateTensor(core, prev, original, inputs, noise, formula, batch, rounds(sampler));
  return original ? { prevSample: prev.tensor, predOriginalSample: original.tensor } : prev.tensor;
}

function lastTimestep(sampler: Sampler): number {
  return sampler.settings.numTrainTimesteps - 1;
}

function statesOf(generators: readonly Generator[] | null, sampler: Sampler): readonly RandomState[] {
  return generators ? generators.map((generator) => Generator.stateOf(generator)!) : [sampler.ownGenerator()];
}

// Written again for each batch element: nothing else runs between setting and storing them.
const coefficients = /* @__PURE__ */ new Coefficients();
const mixture = /* @__PURE__ */ new Mixture();

type SetCombination = (into: Coefficients, signal: number, deviation: number) => void;

/** Of `addNoise` and `getVelocity`. */
class CombinationFormula implements Formula {
  readonly #sampler: Sampler;
  readonly #timesteps: ReadTimesteps;
  readonly #set: SetCombination;
  readonly perElement: boolean;
  readonly guidanceRescale = 0;
  readonly thresholding = null;

  constructor(sampler: Sampler, timesteps: ReadTimesteps, set: SetCombination) {
    this.#sampler = sampler;
    this.#timesteps = timesteps;
    this.#set = set;
    this.perElement = typeof timesteps !== "number";
  }

  coefficientsOf(element: number): Coefficients {
    const alpha = this.#sampler.alphaAt(timestepOf(this.#timesteps, element));
    this.#set(coefficients, Math.sqrt(alpha), root(1 - alpha));
    return coefficients;
  }
}

/** Of a step. */
class StepFormula implements Formula {
  private readonly sampler: Sampler;
  private readonly step: ReadStep;
  private readonly from: ReadTimesteps;
  private readonly to: ReadTimesteps;
  readonly perElement: boolean;
  readonly guidanceRescale: number;
  readonly thresholding: Formula["thresholding"];

  constructor(sampler: Sampler, step: ReadStep, from: ReadTimesteps, to: ReadTimesteps) {
    const { thresholding, dynamicThresholdingRatio, sampleMaxValue } = sampler.settings;
    this.sampler = sampler;
    this.step = step;
    this.from = from;
    this.to = to;
    this.guidanceRescale = step.guidanceRescale;
    this.thresholding = thresholding ? { ratio: dynamicThresholdingRatio, maxValue: sampleMaxValue } : null;
    this.perElement = thresholding || step.guidanceRescale > 0 || typeof from !== "number" || typeof to !== "number";
  }

  coefficientsOf(element: number): Coefficients {
    const sampler = this.sampler;
    const { thresholding, clipSample, clipSampleRange, predictionType } = sampler.settings;
    const range = thresholding ? 1 : clipSample ? clipSampleRange : Infinity;
    const from = timestepOf(this.from, element);
    sampler.mix(mixture, from, timestepOf(this.to, element), this.step);
    const rederive = this.step.useClippedModelOutput === true;
    setStep(coefficients, predictionType, sampler.alphaAt(from), mixture, range, rederive);
    return coefficients;
  }
}

/** The timesteps on the other side of the step. */
function readOtherSide(sampler: Sampler, prevTimestep: unknown, t: ReadTimesteps, batch: number): ReadTimesteps {
  if (prevTimestep !== undefined) {
    return readTimesteps("prevTimestep", prevTimestep, batch, -Infinity, lastTimestep(sampler));
  }
  return typeof t === "number" ? sampler.otherSideOf(t) : t.map((each) => sampler.otherSideOf(each));
}

/** Refuses timesteps to step from where the model's output does not tell the original sample, or the noise. */
function checkSolvable(sampler: Sampler, timesteps: ReadTimesteps): void {
  if (typeof timesteps === "number") checkSolvableAt(sampler, timesteps);
  else for (const t of timesteps) checkSolvableAt(sampler, t);
}

function checkSolvableAt(sampler: Sampler, t: number): void {
  const { predictionType } = sampler.settings;
  const alpha = sampler.alphaAt(t);
  if (predictionType === "epsilon" && !epsilonIsSolvable(alpha)) {
    throw outOfRange(
      "timestep",
      `one where predictionType "epsilon" can tell the original sample (alphasCumprod[${t}] is ${alpha}: no signal is left; use "v_prediction" or "sample")`,
      t,
    );
  }
  if (predictionType === "sample" && alpha === 1) {
    throw new RangeError(
      '"predictionType" "sample" cannot tell the noise at the start of an inversion, where there is none: use setAlphaToOne: false',
    );
  }
}
