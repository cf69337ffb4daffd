// The library as its users call it: with arrays of their own, and with resident tensors.

import { allocate, DDIMScheduler, Generator } from "ddim-wasm";

function makeCall(task, tensors) {
  const { operation, type, dims, timestep, threshold, guidanceScale } = task;
  const { sample, modelOutput, noise, out } = tensors;
  if (operation === "randn") {
    const generator = new Generator(1);
    const options = { type, out };
    return () => generator.randn(dims, options);
  }
  const scheduler = new DDIMScheduler({
    clipSample: operation !== "linear step",
    thresholding: operation === "thresholded step",
    dynamicThresholdingRatio: threshold.ratio,
    sampleMaxValue: threshold.sampleMaxValue,
  });
  if (operation === "addNoise") return () => scheduler.addNoise(sample, noise, timestep, { out });
  scheduler.setTimesteps(task.inferenceSteps);
  const options = operation === "guided clipped step" ? { guidanceScale, out } : { out };
  return () => scheduler.step(modelOutput, sample, timestep, options);
}

function prepareStaged(task) {
  const { dims, type } = task;
  const tensor = (data) => ({ data, dims: [(data.length / task.length) * dims[0], ...dims.slice(1)], type });
  const out = tensor(task.sample.slice().fill(0));
  const tensors = {
    sample: tensor(task.sample),
    modelOutput: tensor(task.modelOutput),
    noise: tensor(task.noise),
    out,
  };
  return { run: makeCall(task, tensors), result: () => out.data };
}

function prepareResident(task) {
  const { dims, type } = task;
  const place = (data) => {
    const tensor = allocate([(data.length / task.length) * dims[0], ...dims.slice(1)], type);
    tensor.data.set(data);
    return tensor;
  };
  const tensors = {
    sample: place(task.sample),
    modelOutput: place(task.modelOutput),
    noise: place(task.noise),
    out: allocate(dims, type),
  };
  return {
    run: makeCall(task, tensors),
    result: () => tensors.out.data,
    dispose: () => Object.values(tensors).forEach((tensor) => tensor.free()),
  };
}

export default [
  { name: "ddim-wasm", bySize: true, prepare: prepareStaged },
  { name: "ddim-wasm, resident", bySize: true, prepare: prepareResident },
];
