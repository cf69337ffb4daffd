// DDIM inversion, plain or refined: each step corrected until the scheduler's own step undoes it.

import { useInstance } from "../module/default.js";
import { count, isPlainObject, positive } from "../checks/checks.js";
import { wrongType } from "../checks/errors.js";
import { OptionTable, type ValuesOf } from "../checks/options.js";
import type { DDIMScheduler } from "../schedulers/ddim.js";
import { DDIMInverseScheduler } from "../schedulers/ddim-inverse.js";
import { copyValues, type Operand, readOperand, type Tensor } from "../tensor/tensor.js";
import { ModelCalls } from "./model-calls.js";
import type { ReadInvertOptions } from "./options.js";
import { setRunTimesteps } from "./run.js";
import type { Inversion, Model } from "./types.js";

const REFINE_OPTIONS = /* @__PURE__ */ new OptionTable({ iterations: [50, count], tolerance: [1e-6, positive] });

type Refinement = ValuesOf<typeof REFINE_OPTIONS>;

/** Reads `refine`: whether, or how. */
function readRefinement(refine: unknown): Refinement | null {
  if (refine === false) return null;
  if (refine === true) return REFINE_OPTIONS.read("refine", undefined);
  if (!isPlainObject(refine)) throw wrongType("refine", "a boolean or an object { iterations, tolerance }", refine);
  return REFINE_OPTIONS.read("refine", refine);
}

export async function invertSample(
  scheduler: DDIMScheduler,
  model: Model<Tensor>,
  options: ReadInvertOptions,
): Promise<Inversion> {
  const refinement = readRefinement(options.refine);
  const inverse = new DDIMInverseScheduler(scheduler.config);
  const first = readOperand(useInstance(), options.sample, "sample");
  if (refinement && first.half) throw wrongType("sample", "float32 data to refine", first.data);
  const timesteps = setRunTimesteps(scheduler, options.numInferenceSteps).reverse();
  const sources = Array.from(timesteps, (t) => scheduler.otherSideOf(t));
  const total = timesteps.length;
  const calls = new ModelCalls(model, options, first.dims ? first.dims[0]! : 1, total);

  const inversion: Inversion = { sample: first.tensor as Tensor, converged: true, worst: null };
  for (let step = 0; step < total; step++) {
    const timestep = timesteps[step]!;
    const source = sources[step]!;
    const { sample } = inversion;
    const stepOptions = { ...calls.stepOptions, prevTimestep: source };
    // Read before the model is waited for: the sample may be freed meanwhile.
    const values = refinement
      ? (copyValues(readOperand(useInstance(), sample, "sample"), "sample") as Float32Array)
      : null;
    const modelOutput = await calls.predict(sample, timestep, step);
    const next = inverse.step(modelOutput, sample, timestep, stepOptions) as Tensor;
    if (refinement && values) {
      const undo = async (): Promise<Float32Array> => {
        const output = await calls.predict(next, timestep, step);
        // Into values of its own: a float32 tensor of any class, whose dims the step may need.
        return scheduler.step(output, next, timestep, { ...stepOptions, out: new Float32Array(values.length) });
      };
      // Where the step is linear in the sample with a factor, the residual over that factor is what `next` is off.
      const gain = Math.sqrt(scheduler.alphaAt(timestep) / scheduler.alphaAt(source));
      const residual = await refineStep(next, values, gain, refinement, undo);
      if (!(residual <= refinement.tolerance)) inversion.converged = false;
      if (!inversion.worst || !(residual <= inversion.worst.residual)) inversion.worst = { residual, timestep };
    }
    calls.checkFinite(next, "sample", timestep, step);
    inversion.sample = next;
    await (options.onStep as ((report: object) => unknown) | undefined)?.({ step, total, timestep, sample: next });
  }
  return inversion;
}

/**
 * Corrects `next`, in place, until a step from it leads to `sample`.
 *
 * @param undo the step from `next`
 * @returns the residual it was left with
 */
async function refineStep(
  next: Tensor,
  sample: Float32Array,
  gain: number,
  { iterations, tolerance }: Refinement,
  undo: () => Promise<Float32Array>,
): Promise<number> {
  const largest = sample.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  for (let iteration = 1; ; iteration++) {
    const undone = await undo();
    const { values }: Operand = readOperand(useInstance(), next, "sample");
    let residual = 0;
    // Corrected also after the last look: it costs no model call, and what is left over is smaller still.
    for (let i = 0; i < sample.length; i++) {
      const difference = undone[i]! - sample[i]!;
      residual = Math.max(residual, Math.abs(difference));
      values[i] = values[i]! - difference * gain;
    }
    residual /= largest;
    if (residual <= tolerance || iteration === iterations) return residual;
  }
}
