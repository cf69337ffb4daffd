// A call of a scheduler: its arguments read and checked, its formula, and the kernels' run.

import { outOfRange } from "../checks/errors.js";
import type { RandomState } from "../kernels/noise.js";
import { updateTensor } from "../kernels/update.js";
import { useInstance } from "../module/default.js";
import type { Instance } from "../module/instance.js";
import { Generator } from "../random/generator.js";
import { epsilonIsSolvable } from "../schedule/coefficients.js";
import { checkUnchanged, isTensor, makeLike, type Operand, readOperand } from "../tensor/tensor.js";
import { CombinationFormula, type SetCombination, StepFormula } from "./formulas.js";
import { predictionsIn, readWithVariance } from "./learned-variance.js";
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
} from "./operands.js";
import type { Sampler } from "./sampler.js";
import { checkGuidance, OUT_OPTIONS, type ReadStep } from "./step-options.js";

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
  const inputs = { sample: apartFrom(core, result, x), modelOutput: apartFrom(core, result, z), guidance: undefined };
  updateTensor(core, result, null, inputs, null, formula, batch, rounds(sampler));
  return result.tensor;
}

type ReadOutput = (
  core: Instance,
  tensor: unknown,
  name: string,
  sample: Operand,
  batch: number,
  guided: boolean,
) => Operand;

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
  const { guidanceScale, learnedVariance, returnDict, out, generator, varianceNoise } = step;
  checkGuidance(step);
  if (generator !== undefined && varianceNoise !== undefined) {
    throw new TypeError('"generator" expected no "varianceNoise" beside it: give one source of noise');
  }

  // Read and check everything: from here on no code but the library's own runs.
  const x = readOperand(core, sample, "sample");
  const batch = readBatch("timestep", x, timestep);
  const guided = guidanceScale !== undefined;
  const readOutput: ReadOutput = learnedVariance ? readWithVariance : guided ? readDoubled : readMatching;
  const output = readOutput(core, modelOutput, "modelOutput", x, batch, guided);
  const t = readTimesteps("timestep", timestep, batch, 0, lastTimestep(sampler));
  const other = readOtherSide(sampler, step.prevTimestep, t, batch);
  const inverting = sampler.definition.direction === "invert";
  const from = inverting ? other : t;
  const to = inverting ? t : other;
  checkSolvable(sampler, from);
  const generators = generator === undefined ? null : readGenerators(generator, batch);
  const history = sampler.readHistory?.(core, step, x, batch, from) ?? null;
  const z = varianceNoise === undefined ? history?.original : readMatching(core, varianceNoise, "varianceNoise", x);
  const prev = readResult(core, out, x);
  const original = returnDict ? makeLike(core, x) : null;
  checkUnchanged(x);
  checkUnchanged(output);
  checkUnchanged(prev);
  if (z) checkUnchanged(z);

  const m = learnedVariance ? predictionsIn(output) : output;
  const inputs = { sample: apartFrom(core, prev, x), modelOutput: apartFrom(core, prev, m), guidance: guidanceScale };
  const noise = !sampler.takesNoise(step, to, history)
    ? null
    : z
      ? elsewhere(core, prev, z)
      : statesOf(generators, sampler);
  const half = rounds(sampler);
  const byStep = original && sampler.definition.original;
  if (byStep)
    updateTensor(core, original, null, inputs, null, new StepFormula(sampler, step, from, -1, null), batch, half);
  const formula = new StepFormula(sampler, step, from, to, history);
  updateTensor(core, prev, byStep ? null : original, inputs, noise, formula, batch, half);
  return original ? { prevSample: prev.tensor, predOriginalSample: original.tensor } : prev.tensor;
}

function lastTimestep(sampler: Sampler): number {
  return sampler.settings.numTrainTimesteps - 1;
}

function statesOf(generators: readonly Generator[] | null, sampler: Sampler): readonly RandomState[] {
  return generators ? generators.map((generator) => Generator.stateOf(generator)!) : [sampler.ownGenerator()];
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
