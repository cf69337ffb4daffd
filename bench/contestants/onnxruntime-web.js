// onnxruntime-web's wasm backend, with SIMD and one thread: the update as an ONNX graph of its own. A call copies the
// user's arrays in and the result out.

import * as ort from "onnxruntime-web";

ort.env.wasm.numThreads = 1;

/** What a session is fed with, by name: `{ data, dims }`. */
export function listInputs({ operation, batch, length, sample, modelOutput, noise }) {
  if (operation === "randn") return {};
  const input = (data) => ({ data, dims: [(data.length / length) * batch, length / batch] });
  return { x: input(sample), y: input(operation === "addNoise" ? noise : modelOutput) };
}

/** @param task may bring the bytes of its `model` along */
async function prepare(task) {
  const inputs = listInputs(task);
  const model = task.model ?? (await import("./onnx-graphs.js")).makeModel(task, inputs);
  const session = await ort.InferenceSession.create(model, { executionProviders: ["wasm"] });
  let result;
  return {
    asynchronous: true,
    run: async () => {
      const feeds = {};
      for (const name in inputs) feeds[name] = new ort.Tensor(task.type, inputs[name].data, inputs[name].dims);
      result = (await session.run(feeds)).out;
    },
    result: () => result.data,
    dispose: () => session.release(),
  };
}

export default [{ name: "onnxruntime-web", prepare }];
