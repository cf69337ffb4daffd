// Work on tensors beside the update of a step.

import { type Instance, STAGE } from "../module/instance.js";
import { type Values, isHalf } from "../tensor/dtype.js";
import { type Stored, storedAs } from "../tensor/tensor.js";
import { resultAddress, stageIn, stageOut } from "./pieces.js";

/** out = known + weight (sample - known): `known` where the weight is 0, `sample` where it is 1. */
export function blendTensor(core: Instance, out: Stored, sample: Stored, known: Stored, weight: Stored): void {
  for (let start = 0, n = 0; start < out.length; start += n) {
    n = Math.min(out.length - start, core.pieceLength);
    const s = stageIn(core, STAGE.sample, sample, start, n);
    const k = stageIn(core, STAGE.modelOutput, known, start, n);
    const w = stageIn(core, STAGE.noise, weight, start, n);
    const result = resultAddress(core, STAGE.sample, out, start);
    core.exports.blend(result, k, s, w, 0, n);
    stageOut(core, STAGE.sample, result, out, start, n, false);
  }
}

/** Values as floats, in new memory. */
export function toFloats(core: Instance, values: Values): Float32Array {
  const floats = new Float32Array(values.length);
  if (!isHalf(values)) {
    floats.set(values);
    return floats;
  }
  const source = storedAs(values);
  const result = storedAs(floats);
  for (let start = 0, n = 0; start < source.length; start += n) {
    n = Math.min(source.length - start, core.pieceLength);
    stageOut(core, STAGE.sample, stageIn(core, STAGE.sample, source, start, n), result, start, n, false);
  }
  return floats;
}

/** The index of the first value that is infinite or NaN; -1 where there is none. */
export function firstNotFinite(core: Instance, tensor: Stored): number {
  for (let start = 0, n = 0; start < tensor.length; start += n) {
    n = Math.min(tensor.length - start, core.pieceLength);
    const index = core.exports.firstNotFinite(stageIn(core, STAGE.sample, tensor, start, n), n);
    if (index >= 0) return start + index;
  }
  return -1;
}

/** Replaces values by a function of them. */
export function replaceValues(core: Instance, kernel: "cosines" | "exponentials", values: Float64Array): void {
  const { buffer, byteOffset, byteLength } = core.stages[STAGE.sample]!.whole;
  const stage = new Float64Array(buffer, byteOffset, byteLength / Float64Array.BYTES_PER_ELEMENT);
  for (let start = 0; start < values.length; start += stage.length) {
    const some = values.subarray(start, start + stage.length);
    stage.set(some);
    core.exports[kernel](stage.byteOffset, some.length);
    some.set(stage.subarray(0, some.length));
  }
}
