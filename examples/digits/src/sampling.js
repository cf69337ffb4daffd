// From noise to digits: the sampling loop.

import { DDIMScheduler, Generator } from "ddim-wasm";
import { Tensor } from "onnxruntime-web";
import { predictNoise } from "./models.js";

/**
 * Draws digits, all in one batch.
 *
 * @param {import("onnxruntime-web").InferenceSession} unet the diffusion model
 * @param {import("./command-line.js").Options} options
 * @param {() => void} onStep called after each step
 * @returns {Promise<import("onnxruntime-web").TypedTensor<"float32">>} [count, 1, 32, 32], pixels in [-1, 1]
 */
export async function drawDigits(unet, { digits, steps, seed, guidance, eta, spacing }, onStep) {
  // The noise schedule is the one the model was trained with; clipping keeps predicted pixels within [-1, 1].
  const scheduler = new DDIMScheduler({
    betaSchedule: "squaredcos_cap_v2",
    clipSample: true,
    clipSampleRange: 1,
    timestepSpacing: spacing,
  });
  scheduler.setTimesteps(steps);

  const generator = new Generator(seed);
  const noise = generator.randn([digits.length, 1, 32, 32]);
  let sample = new Tensor(noise.type, noise.data, noise.dims);

  for (const t of scheduler.timesteps) {
    const modelOutput = await predictNoise(unet, sample, t, digits);
    sample = scheduler.step(modelOutput, sample, t, {
      eta,
      generator,
      guidanceScale: guidance,
      // Guidance drives the predicted digit out of [-1, 1], and clipping brings it back. The predicted noise has to
      // follow, or the two no longer make up the sample: without this 66 digits of 100 are recognised, with it all.
      useClippedModelOutput: true,
    });
    onStep();
  }
  return sample;
}
