// Steps on so few values that the call costs more than the kernel: a robot's policy samples 16 x 7 of them.

import { DDIMScheduler } from "ddim-wasm";
import { enter } from "../compete.js";
import library from "../contestants/ddim-wasm.js";
import kernel from "../contestants/kernel.js";
import plainLoop from "../contestants/plain-loop.js";
import { makeTask } from "../data.js";

/** The library with bare arrays, which say nothing of their dims. */
function prepareBare({ sample, modelOutput, timestep, inferenceSteps }) {
  const scheduler = new DDIMScheduler();
  scheduler.setTimesteps(inferenceSteps);
  const out = sample.slice();
  const options = { out };
  return { run: () => scheduler.step(modelOutput, sample, timestep, options), result: () => out };
}

const bare = { name: "ddim-wasm", prepare: prepareBare };
const withDims = library[0];

function makeRow(name, contestant, dims) {
  const makeEntries = () => {
    const task = makeTask("clipped step", "float32", dims);
    return [contestant, plainLoop[0], kernel[0]].map((contestant) => enter(contestant, task));
  };
  return { name, makeEntries };
}

export default {
  title: "clipped step with out",
  unit: "nanoseconds a call",
  nanoseconds: 1,
  over: "kernel alone",
  rows: [
    makeRow("16 values", bare, [1, 16]),
    makeRow("112 values", bare, [1, 112]),
    makeRow("256 values", bare, [1, 256]),
    makeRow("112 with dims 1 x 112", withDims, [1, 112]),
    makeRow("112 with dims 112 x 1", withDims, [112, 1]),
  ],
};
