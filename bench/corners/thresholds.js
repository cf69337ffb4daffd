// Dynamic thresholding of data with many equal values, among which the search for the quantile is slow.

import { Generator } from "ddim-wasm";
import { enter } from "../compete.js";
import library from "../contestants/ddim-wasm.js";
import plainLoop from "../contestants/plain-loop.js";
import { makeTask } from "../data.js";

const normal = makeTask("thresholded step", "float32", [1, 4, 256, 256]);

/** A task whose sample has these values and whose model output is the same everywhere. */
function makeUneven(sample) {
  return { ...normal, sample, modelOutput: normal.modelOutput.slice().fill(0.5) };
}

function makeRow(name, choose) {
  const makeEntries = () => {
    const task = choose();
    const entries = [library[0], plainLoop[0]].map((contestant) => enter(contestant, task));
    return task === normal ? entries : [...entries, { ...enter(library[0], normal), name: "normal data" }];
  };
  return { name, elements: normal.length, makeEntries };
}

const equal = () => makeUneven(normal.sample.slice().fill(1.5));
const twoValues = () => makeUneven(new Generator(1).rand(normal.dims).data.map((u) => (u < 0.5 ? 1.5 : -1)));

export default {
  title: "thresholded step of 262,144 values",
  unit: "nanoseconds a value",
  nanoseconds: 1,
  rows: [makeRow("normal data", () => normal), makeRow("all equal", equal), makeRow("two values", twoValues)],
};
