// Outputs of models that predict variances too: twice the channels, the prediction first (arXiv 2102.09672, section 3.1).

import { outOfRange, wrongType } from "../checks/errors.js";
import type { Instance } from "../module/instance.js";
import { areSameDims } from "../tensor/dims.js";
import { newValues } from "../tensor/dtype.js";
import { type Operand, readOperand, type Stored, storedAs } from "../tensor/tensor.js";
import { copyInto, part } from "../tensor/typed-array.js";
import { checkType } from "./operands.js";

/** Reads such an output; with guidance it has twice the batch too. */
export function readWithVariance(
  core: Instance,
  tensor: unknown,
  name: string,
  sample: Operand,
  batch: number,
  guided: boolean,
): Operand {
  const operand = readOperand(core, tensor, name);
  checkType(operand, sample);
  const [, channels = NaN, ...rest] = sample.dims ?? [];
  if (!operand.dims || !areSameDims(operand.dims, [guided ? 2 * batch : batch, 2 * channels, ...rest])) {
    const expected = `those of "${sample.name}" with twice the channels, under learnedVariance`;
    throw (operand.dims && sample.dims ? outOfRange : wrongType)(`${name}.dims`, expected, operand.dims);
  }
  return operand;
}

/** A copy of the predictions in such an output, which has dims. */
export function predictionsIn({ values, length, dtype, dims }: Operand): Stored {
  const predictions = newValues(dtype, length / 2, "modelOutput");
  const each = predictions.length / dims![0]!;
  for (let start = 0; start < predictions.length; start += each) {
    copyInto(predictions, part(values, 2 * start, each), start);
  }
  return storedAs(predictions);
}
