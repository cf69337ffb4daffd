// What a step reads.

import { type Instance, STAGE } from "../module/instance.js";
import type { Stored } from "../tensor/tensor.js";
import { stageIn } from "./pieces.js";

/** The inputs of an update. With guidance the model output holds the unconditional half, then the conditional one. */
export interface Inputs {
  readonly sample: Stored;
  readonly modelOutput: Stored;
  readonly guidance: number | undefined;
}

/** The address of `n` values of the conditional model output; 0 where there is no guidance. */
export function stageConditional(core: Instance, { modelOutput, guidance }: Inputs, start: number, n: number): number {
  if (guidance === undefined) return 0;
  return stageIn(core, STAGE.conditional, modelOutput, modelOutput.length / 2 + start, n);
}
