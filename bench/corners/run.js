// A run of the pipeline with a model that costs nothing.

import { DDIMScheduler } from "ddim-wasm";
import { computeExpected } from "../check.js";
import { enter } from "../compete.js";
import { LOOPS } from "../contestants/plain-loop.js";
import { INFERENCE_STEPS, makeConstants, makeTask, STRIDE } from "../data.js";
import { Pipeline } from "./pipeline.js";

/** What the plain loop has for each step of a run. */
const CONSTANTS = Array.from({ length: INFERENCE_STEPS }, (_, i) => makeConstants(1000 - (i + 1) * STRIDE));

const placeSample = ({ sample, dims, type }) => ({ data: sample, dims, type });
const makeModel = ({ modelOutput, dims, type }) => {
  const tensor = { data: modelOutput, dims, type };
  return () => tensor;
};

function preparePipeline(task) {
  const pipeline = new Pipeline({ scheduler: new DDIMScheduler(), model: makeModel(task) });
  const options = { sample: placeSample(task), numInferenceSteps: INFERENCE_STEPS };
  let result;
  const run = async () => {
    result = await pipeline.run(options);
  };
  return { asynchronous: true, run, result: () => result.data };
}

function prepareByHand(task) {
  const scheduler = new DDIMScheduler();
  const model = makeModel(task);
  const sample = placeSample(task);
  let result;
  const run = () => {
    scheduler.setTimesteps(INFERENCE_STEPS);
    result = sample;
    for (const t of scheduler.timesteps) result = scheduler.step(model(result, t), result, t);
  };
  return { run, result: () => result.data };
}

function preparePlain({ sample, modelOutput }) {
  const out = sample.slice();
  const run = () => {
    out.set(sample);
    for (const constants of CONSTANTS) LOOPS["clipped step"](out, out, modelOutput, constants);
  };
  return { run, result: () => out };
}

function makeEntries() {
  const task = makeTask("clipped step", "float32", [1, 4, 64, 64]);
  let values = task.sample;
  for (const constants of CONSTANTS) ({ values } = computeExpected({ ...task, ...constants, sample: values }));
  const contestants = [
    { name: "ddim-wasm", prepare: preparePipeline },
    { name: "loop by hand", prepare: prepareByHand },
    { name: "plain loop", prepare: preparePlain },
  ];
  return contestants.map((contestant) => enter(contestant, task, { values }));
}

export default {
  title: `pipeline.run of ${INFERENCE_STEPS} steps on 4x64x64 values, a model that costs nothing`,
  unit: "microseconds a run",
  nanoseconds: 1000,
  rows: [{ name: "run", makeEntries }],
};
