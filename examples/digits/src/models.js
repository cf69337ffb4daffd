// The two ONNX models, run by onnxruntime-web. What goes in and out of them is told in model/README.md. Nothing here reads
// files: the Worker of examples/edge draws with it too.

import { env, Tensor } from "onnxruntime-web";

// Models as small as these gain nothing from threads.
env.wasm.numThreads = 1;

/** The label that stands for no label. */
export const NO_LABEL = 10;

/**
 * The noise that the diffusion model sees in each sample.
 *
 * @param {import("onnxruntime-web").InferenceSession} unet
 * @param {import("ddim-wasm").PlainTensor} sample [count, 1, 32, 32]
 * @param {number} timestep
 * @param {number[]} labels one a sample
 * @returns {Promise<Tensor>} of the sample's shape
 */
export async function predictNoise(unet, { type, data, dims }, timestep, labels) {
  const { out_sample: noise } = await unet.run({
    sample: new Tensor(type ?? "float32", data, dims),
    timestep: new Tensor("int64", new BigInt64Array(labels.length).fill(BigInt(timestep)), [labels.length]),
    class_labels: new Tensor("int64", BigInt64Array.from(labels, BigInt), [labels.length]),
  });
  return noise;
}

/**
 * Which digit the classifier sees in each sample.
 *
 * @param {import("onnxruntime-web").InferenceSession} classifier
 * @param {import("ddim-wasm").PlainTensor} samples [count, 1, 32, 32]
 * @returns {Promise<number[]>}
 */
export async function readDigits(classifier, samples) {
  const { logits } = await classifier.run({ image: new Tensor("float32", samples.data, samples.dims) });
  const [count, classes] = logits.dims;
  return Array.from({ length: count }, (_, i) => {
    const scores = logits.data.subarray(i * classes, (i + 1) * classes);
    return scores.indexOf(Math.max(...scores));
  });
}
