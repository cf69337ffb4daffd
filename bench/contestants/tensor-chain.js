// The chain of tensor operations that diffusers.js' schedulers are written in, on transformers.js' Tensor: a new tensor
// for each operation.

import { cat, randn, Tensor } from "@huggingface/transformers";

// transformers.js computes with a tensor and a number. What takes two tensors, diffusers.js adds to its Tensor, as a
// copy and a loop over it.
function combine(a, b, operation) {
  const result = a.clone();
  operation(result.data, b.data);
  return result;
}

function add(a, b) {
  return combine(a, b, (x, y) => {
    for (let i = 0; i < x.length; i++) x[i] += y[i];
  });
}

function sub(a, b) {
  return combine(a, b, (x, y) => {
    for (let i = 0; i < x.length; i++) x[i] -= y[i];
  });
}

function predict(x, m, { sqrtAlpha, sqrtBeta }) {
  return sub(x, m.mul(sqrtBeta)).div(sqrtAlpha);
}

function advance(x0, m, { sqrtAlphaPrev, sqrtBetaPrev }) {
  return add(x0.mul(sqrtAlphaPrev), m.mul(sqrtBetaPrev));
}

function guide(m, { batch, guidanceScale }) {
  const uncond = m.slice([0, batch]);
  const cond = m.slice([batch, 2 * batch]);
  return add(uncond, sub(cond, uncond).mul(guidanceScale));
}

function threshold(x0, { ratio, sampleMaxValue }) {
  const magnitudes = x0.map(Math.abs).data;
  magnitudes.sort();
  const rank = ratio * (magnitudes.length - 1);
  const low = Math.floor(rank);
  const high = Math.min(low + 1, magnitudes.length - 1);
  const quantile = magnitudes[low] + (magnitudes[high] - magnitudes[low]) * (rank - low);
  const s = Math.min(Math.max(quantile, 1), sampleMaxValue);
  return x0.clamp(-s, s).div(s);
}

function thresholdEach(x0, task) {
  if (task.batch === 1) return threshold(x0, task.threshold);
  return cat(Array.from({ length: task.batch }, (_, i) => threshold(x0.slice([i, i + 1]), task.threshold)));
}

const CHAINS = {
  "linear step": (x, m, task) => advance(predict(x, m, task), m, task),
  "clipped step": (x, m, task) => advance(predict(x, m, task).clamp(-1, 1), m, task),
  "guided clipped step": (x, m, task) => CHAINS["clipped step"](x, guide(m, task), task),
  "thresholded step": (x, m, task) => advance(thresholdEach(predict(x, m, task), task), m, task),
  addNoise: (x, noise, { sqrtAlpha, sqrtBeta }) => add(x.mul(sqrtAlpha), noise.mul(sqrtBeta)),
  randn: (x) => (x.type === "float32" ? randn(x.dims) : randn(x.dims).to(x.type)),
};

function prepare(task) {
  const { operation, type, dims } = task;
  if (type === "float16" && !globalThis.Float16Array) {
    throw new Error("without a Float16Array transformers.js computes with the bits of halves as integers");
  }
  const tensor = (data) => new Tensor(type, data, [(data.length / task.length) * dims[0], ...dims.slice(1)]);
  const chain = CHAINS[operation];
  const x = tensor(task.sample);
  const second = tensor(operation === "addNoise" ? task.noise : task.modelOutput);
  let result;
  return {
    run: () => {
      result = chain(x, second, task);
    },
    result: () => result.data,
    roundsEachOperation: true,
  };
}

export default [{ name: "tensor chain", prepare }];
