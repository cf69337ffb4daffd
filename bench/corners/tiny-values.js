// Subnormal numbers, on which a processor may take many times as long as on others. Some make no difference.

import { Generator } from "ddim-wasm";
import { enter } from "../compete.js";
import library from "../contestants/ddim-wasm.js";
import plainLoop from "../contestants/plain-loop.js";
import plainLoopBits from "../contestants/plain-loop-bits.js";
import { makeTask } from "../data.js";

const DIMS = [1, 4, 64, 64];

/** The bits below the exponent, those of the type's data, and the least number that is not subnormal. */
const FORMATS = {
  float16: { fraction: 10, Bits: Uint16Array, scale: 2 ** -14, plain: plainLoopBits[0] },
  float32: { fraction: 23, Bits: Uint32Array, scale: 2 ** -126, plain: plainLoop[0] },
};

/** As many subnormal numbers, of either sign, as a task's data has values. */
function makeSubnormals({ data, type, seed }) {
  const { fraction, Bits } = FORMATS[type];
  const patterns = new Generator(seed).rand([data.length]).data.map((u) => Math.ceil(u * (2 ** fraction - 1)) || 1);
  const sign = 2 ** (8 * Bits.BYTES_PER_ELEMENT - 1);
  const bits = Bits.from(patterns, (pattern, i) => pattern + (i % 3 === 0 ? sign : 0));
  return new data.constructor(bits.buffer);
}

function makeSubnormalTask(task) {
  const { type, sample, modelOutput } = task;
  return {
    ...task,
    sample: makeSubnormals({ data: sample, type, seed: 1 }),
    modelOutput: makeSubnormals({ data: modelOutput, type, seed: 2 }),
    scale: FORMATS[type].scale,
  };
}

function makeRows(type) {
  const plain = { ...FORMATS[type].plain, name: "plain loop" };
  const normal = makeTask("clipped step", type, DIMS);
  const enterAll = (task) => [library[0], plain].map((contestant) => enter(contestant, task));
  return [
    { name: `${type}, normal data`, elements: normal.length, makeEntries: () => enterAll(normal) },
    {
      name: `${type}, all subnormal`,
      elements: normal.length,
      makeEntries: () => [
        ...enterAll(makeSubnormalTask(normal)),
        { ...enter(library[0], normal), name: "normal data" },
      ],
    },
  ];
}

export default {
  title: "clipped step of 16,384 values",
  unit: "nanoseconds a value",
  nanoseconds: 1,
  rows: [...makeRows("float16"), ...makeRows("float32")],
};
