// Refined inversion: each step corrected until the scheduler's own step undoes it.

import { count, type OptionValues, positive, readOptions } from "./checks.js";

const REFINE_OPTIONS = { iterations: [50, count], tolerance: [1e-6, positive] } as const;

export type Refinement = OptionValues<typeof REFINE_OPTIONS>;

/** Reads `refine`: whether, or how. */
export function readRefinement(refine: unknown): Refinement | null {
  return refine === false ? null : readOptions("refine", refine === true ? {} : refine, REFINE_OPTIONS);
}

/**
 * Corrects `next`, in place, until a step from it leads to `sample`: where the step is linear in the sample with a
 * factor, the residual over that factor is what `next` is off.
 *
 * @param gain 1 over the factor
 * @param undo the step from `next`
 * @returns the residual it was left with
 */
export async function refineStep(
  next: Float32Array,
  sample: Float32Array,
  gain: number,
  { iterations, tolerance }: Refinement,
  undo: () => Promise<Float32Array>,
): Promise<number> {
  const largest = sample.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  for (let iteration = 1; ; iteration++) {
    const undone = await undo();
    const residual = undone.reduce((most, value, i) => Math.max(most, Math.abs(value - sample[i]!)), 0) / largest;
    // Also after the last look: it costs no model call, and what is left over is smaller still.
    undone.forEach((value, i) => (next[i]! -= (value - sample[i]!) * gain));
    if (residual <= tolerance || iteration === iterations) return residual;
  }
}
