// Outputs of models that predict variances too: twice the channels, the prediction first (arXiv 2102.09672, section 3.1).

import { outOfRange, wrongType } from "../checks/errors.js";
import type { Instance } from "../module/instance.js";
import { areSameDims } from "../tensor/dims.js";
import { newValues } from "../tensor/dtype.js";
import { type Operand, readOperand, Stored, storedAs } from "../tensor/tensor.js";
import { copyInto, part } from "../tensor/typed-array.js";
import { checkType } from "./operands.js";

/** @param times the output's batch, in multiples of the sample's */
export function readWithVariance(
  core: Instance,
  tensor: unknown,
  name: string,
  sample: Operand,
  times: number,
): Operand {
  const operand = readOperand(core, tensor, name);
  checkType(operand, sample);
  const { dims } = sample;
  if (!dims || !operand.dims || !areSameDims(operand.dims, [dims[0]! * times, dims[1]! * 2, ...dims.slice(2)])) {
    const expected = `those of "${sample.name}" with twice the channels, under learnedVariance`;
    throw (dims && operand.dims ? outOfRange : wrongType)(`${name}.dims`, expected, operand.dims);
  }
  return operand;
}

/** The predictions in such an output, which has dims, without a copy where they are in one piece. */
export function predictionsIn({ values, length, half, resident, dims }: Operand): Stored {
  const batch = dims![0]!;
  const total = length / 2;
  if (batch <= 1) return new Stored(part(values, 0, total), half, resident);
  const each = total / batch;
  const predictions = newValues(half ? "float16" : "float32", total, "modelOutput");
  for (let i = 0; i < batch; i++) copyInto(predictions, part(values, 2 * i * each, each), i * each);
  return storedAs(predictions);
}
