// What checkFinite adds to a run. The library exports no such check: its time is the difference between two runs.

import { DDIMScheduler, Generator } from "ddim-wasm";
import { WrongResult } from "../check.js";
import { Pipeline } from "./pipeline.js";

const DIMS = [1, 4, 256, 256];
const LENGTH = DIMS.reduce((product, size) => product * size);

const NOT_A_NUMBER = { float32: NaN, float16: 0x7e00 };

/** The index of the first value that is not finite; -1 where all are. */
const SEARCHES = {
  float32(values) {
    const n = values.length;
    for (let i = 0; i < n; i++) if (!Number.isFinite(values[i])) return i;
    return -1;
  },
  float16(halves) {
    const n = halves.length;
    for (let i = 0; i < n; i++) if ((halves[i] & 0x7c00) === 0x7c00) return i;
    return -1;
  },
};

/** The library checks the model's output and the result. */
function enterLibrary({ sample, modelOutput, spoiled }) {
  let output = modelOutput;
  let result;
  const pipeline = new Pipeline({ scheduler: new DDIMScheduler(), model: () => output });
  const run = async (checkFinite) => {
    const start = performance.now();
    result = await pipeline.run({ sample, numInferenceSteps: 1, checkFinite });
    return performance.now() - start;
  };
  const time = async (iterations) => {
    let difference = 0;
    for (let i = 0; i < iterations; i++) difference += (await run(true)) - (await run(false));
    return difference;
  };
  const check = async () => {
    output = spoiled;
    const passed = await run(true).then(
      () => true,
      () => false,
    );
    output = modelOutput;
    if (passed) throw new WrongResult("ddim-wasm takes NaN for finite");
  };
  return { name: "ddim-wasm", prepare: () => ({ run: () => run(true), time, result: () => result.data }), check };
}

function enterPlain({ sample, modelOutput, spoiled }) {
  const search = SEARCHES[sample.type];
  const found = new Int32Array(2);
  const run = () => {
    found[0] = search(sample.data);
    found[1] = search(modelOutput.data);
  };
  const check = () => {
    if (found.some((index) => index !== -1) || search(spoiled.data) !== LENGTH - 1) {
      throw new WrongResult("the plain loop finds what is not there, or does not find NaN");
    }
  };
  return { name: "plain loop", prepare: () => ({ run, result: () => found }), check };
}

function makeRow(type) {
  const makeEntries = () => {
    const generator = new Generator(1);
    const sample = generator.randn(DIMS, { type });
    const modelOutput = generator.randn(DIMS, { type });
    const spoiled = { ...modelOutput, data: modelOutput.data.slice() };
    spoiled.data[LENGTH - 1] = NOT_A_NUMBER[type];
    return [enterLibrary, enterPlain].map((enter) => enter({ sample, modelOutput, spoiled }));
  };
  return { name: type, elements: 2 * LENGTH, makeEntries };
}

export default {
  title: "checkFinite in a run on 262,144 values",
  unit: "nanoseconds a value",
  nanoseconds: 1,
  rows: [makeRow("float32"), makeRow("float16")],
};
