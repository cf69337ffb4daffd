// Large batches of small elements, where what is done once a batch element outweighs the values.

import { DDIMScheduler, Generator } from "ddim-wasm";
import { computeExpected } from "../check.js";
import { enter } from "../compete.js";
import { makeConstants, makeTask, TIMESTEP } from "../data.js";
import { stepEach, stepNoisy, stepRescaled, stepThresholded } from "./batch-loops.js";
import { MersenneTwister } from "./mersenne-twister.js";

const BATCH = 4096;
const SIZE = 4;
const SEEDS = Array.from({ length: BATCH }, (_, i) => i);

const makeBatchTask = (operation) => makeTask(operation, "float32", [BATCH, SIZE]);

/** Timesteps in no order, one for each batch element. */
function makeOwnTimesteps() {
  const task = makeBatchTask("clipped step");
  const timestep = Array.from(new Generator(1).rand([BATCH]).data, (u) => Math.floor(1000 * u));
  const right = new Float64Array(task.length);
  timestep.forEach((t, element) => {
    const cut = (data) => data.subarray(element * SIZE, (element + 1) * SIZE);
    const data = { sample: cut(task.sample), modelOutput: cut(task.modelOutput) };
    right.set(
      computeExpected({ ...task, ...makeConstants(t), ...data, batch: 1, length: SIZE }).values,
      element * SIZE,
    );
  });
  return { task: { ...task, timestep }, right, loop: stepEach };
}

function standardDeviation(values) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}

function makeRescaled() {
  const task = { ...makeBatchTask("guided clipped step"), guidanceRescale: 0.7 };
  const { length, guidanceScale, guidanceRescale } = task;
  const cond = Float64Array.from(task.modelOutput.subarray(length));
  const rescaled = cond.map((value, i) => task.modelOutput[i] + guidanceScale * (value - task.modelOutput[i]));
  for (let start = 0; start < length; start += SIZE) {
    const guided = rescaled.subarray(start, start + SIZE);
    const ratio = standardDeviation(cond.subarray(start, start + SIZE)) / standardDeviation(guided);
    guided.forEach((value, i) => (guided[i] = value * (guidanceRescale * ratio + 1 - guidanceRescale)));
  }
  const { values: right } = computeExpected({ ...task, operation: "clipped step", modelOutput: rescaled });
  return { task, right, loop: stepRescaled, options: { guidanceScale, guidanceRescale } };
}

function makeThresholded() {
  const task = makeBatchTask("thresholded step");
  return { task, right: computeExpected(task).values, loop: stepThresholded };
}

function makeNoisy() {
  const eta = 1;
  const makeTwisters = () => SEEDS.map((seed) => new MersenneTwister(seed));
  const task = { ...makeBatchTask("clipped step"), ...makeConstants(TIMESTEP, eta), twisters: makeTwisters() };
  const right = computeExpected(task).values;
  const noise = new Float64Array(SIZE);
  makeTwisters().forEach((twister, element) => {
    twister.fillNormal(noise);
    noise.forEach((value, i) => (right[element * SIZE + i] += task.sigma * value));
  });
  return { task, right, loop: stepNoisy, options: { eta, generator: SEEDS.map((seed) => new Generator(seed)) } };
}

function prepareLibrary({ operation, sample, modelOutput, timestep, threshold, inferenceSteps }, options) {
  const scheduler = new DDIMScheduler({
    thresholding: operation === "thresholded step",
    dynamicThresholdingRatio: threshold.ratio,
    sampleMaxValue: threshold.sampleMaxValue,
  });
  scheduler.setTimesteps(inferenceSteps);
  const tensor = (data) => ({ data, dims: [data.length / SIZE, SIZE], type: "float32" });
  const [m, x, out] = [modelOutput, sample, sample.slice().fill(0)].map(tensor);
  const stepOptions = { ...options, out };
  return { run: () => scheduler.step(m, x, timestep, stepOptions), result: () => out.data };
}

function preparePlain(task, loop) {
  const out = task.sample.slice().fill(0);
  return { run: () => loop(out, task.sample, task.modelOutput, task), result: () => out };
}

function makeRow(name, makeCase) {
  const makeEntries = () => {
    const { task, right, loop, options } = makeCase();
    const contestants = [
      { name: "ddim-wasm", prepare: () => prepareLibrary(task, options) },
      { name: "plain loop", prepare: () => preparePlain(task, loop) },
    ];
    return contestants.map((contestant) => enter(contestant, task, { values: right }));
  };
  return { name, elements: BATCH, makeEntries };
}

export default {
  title: `step of a batch of ${BATCH} x ${SIZE}`,
  unit: "nanoseconds a batch element",
  nanoseconds: 1,
  rows: [
    makeRow("own timesteps", makeOwnTimesteps),
    makeRow("guidanceRescale", makeRescaled),
    makeRow("thresholding", makeThresholded),
    makeRow("own generators, eta 1", makeNoisy),
  ],
};
