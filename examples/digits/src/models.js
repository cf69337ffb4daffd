// The two ONNX models, run by onnxruntime-web. What goes in and out of them is told in model/README.md.

import { readFileSync } from "node:fs";
import { env, InferenceSession, Tensor } from "onnxruntime-web";

// Models as small as these gain nothing from threads.
env.wasm.numThreads = 1;

/** The label that stands for no label. */
const NO_LABEL = 10;

/**
 * @param {string} name of a file in model/, without .onnx
 * @returns {Promise<InferenceSession>}
 */
export function loadModel(name) {
  return InferenceSession.create(readFileSync(new URL(`../model/${name}.onnx`, import.meta.url)));
}

/**
 * The noise that the diffusion model sees in each sample, once without and once with its label.
 *
 * @param {InferenceSession} unet
 * @param {import("onnxruntime-web").TypedTensor<"float32">} sample [count, 1, 32, 32]
 * @param {number} timestep
 * @param {number[]} labels one a sample
 * @returns {Promise<import("onnxruntime-web").TypedTensor<"float32">>} [2 * count, 1, 32, 32]: the half without labels first, as the scheduler expects it
 */
export async function predictNoise(unet, sample, timestep, labels) {
  const [count, ...shape] = sample.dims;
  const doubled = new Float32Array(2 * sample.data.length);
  doubled.set(sample.data);
  doubled.set(sample.data, sample.data.length);
  const unlabelled = labels.map(() => NO_LABEL);
  const { out_sample: noise } = await unet.run({
    sample: new Tensor("float32", doubled, [2 * count, ...shape]),
    timestep: new Tensor("int64", new BigInt64Array(2 * count).fill(BigInt(timestep)), [2 * count]),
    class_labels: new Tensor("int64", BigInt64Array.from([...unlabelled, ...labels], BigInt), [2 * count]),
  });
  return noise;
}

/**
 * Which digit the classifier sees in each sample.
 *
 * @param {InferenceSession} classifier
 * @param {import("onnxruntime-web").TypedTensor<"float32">} samples [count, 1, 32, 32]
 * @returns {Promise<number[]>}
 */
export async function readDigits(classifier, samples) {
  const { logits } = await classifier.run({ image: samples });
  const [count, classes] = logits.dims;
  return Array.from({ length: count }, (_, i) => {
    const scores = logits.data.subarray(i * classes, (i + 1) * classes);
    return scores.indexOf(Math.max(...scores));
  });
}
