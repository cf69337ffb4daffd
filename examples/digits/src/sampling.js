// From noise to digits, from digits to other digits, and back to noise.

import { DiffusionPipeline, DDIMScheduler, Generator } from "ddim-wasm";
import { NO_LABEL, predictNoise } from "./models.js";

const SIZE = 32;

/**
 * @param {import("onnxruntime-web").InferenceSession} unet the diffusion model
 * @param {import("./command-line.js").Options} options
 * @param {boolean} clipSample keep predicted pixels within [-1, 1]
 */
function makePipeline(unet, { spacing }, clipSample) {
  return new DiffusionPipeline({
    // The noise schedule is the one the model was trained with.
    scheduler: new DDIMScheduler({ betaSchedule: "squaredcos_cap_v2", clipSample, timestepSpacing: spacing }),
    model: (sample, timestep, { condition }) => predictNoise(unet, sample, timestep, condition),
  });
}

/**
 * Draws digits, all in one batch: from noise, or over those of `from`, as a whole or half of each.
 *
 * @param {import("onnxruntime-web").InferenceSession} unet
 * @param {import("./command-line.js").Options} options
 * @param {() => void} onStep called after each step
 * @returns {Promise<import("ddim-wasm").PlainTensor>} [count, 1, 32, 32], pixels in [-1, 1]
 */
export function drawDigits(unet, options, onStep) {
  const { digits, steps, seed, guidance, eta, from, strength, inpaint } = options;
  const dims = [digits.length, 1, SIZE, SIZE];
  const drawn = from && { data: from, dims };
  const start = strength === undefined ? { dims } : { sample: drawn, strength };
  return makePipeline(unet, options, true).run({
    ...start,
    ...(inpaint && { known: drawn, mask: maskOf(inpaint) }),
    numInferenceSteps: steps,
    generator: new Generator(seed),
    eta,
    condition: digits,
    unconditional: NO_LABEL,
    guidanceScale: guidance,
    // Guidance drives the predicted digit out of [-1, 1], and clipping brings it back. The predicted noise has to
    // follow, or the two no longer make up the sample: without this 66 digits of 100 are recognised, with it all.
    useClippedModelOutput: true,
    onStep,
  });
}

/** 1 in the half of a digit that is to be painted. */
function maskOf(half) {
  const inHalf = {
    top: (x, y) => y < SIZE / 2,
    bottom: (x, y) => y >= SIZE / 2,
    left: (x) => x < SIZE / 2,
    right: (x) => x >= SIZE / 2,
  }[half];
  const data = Float32Array.from({ length: SIZE * SIZE }, (_, i) => inHalf(i % SIZE, Math.floor(i / SIZE)));
  return { data, dims: [SIZE, SIZE] };
}

/**
 * Finds the noise that the digits of `from` are drawn from, and draws them again.
 *
 * @param {import("onnxruntime-web").InferenceSession} unet
 * @param {import("./command-line.js").Options} options
 * @param {() => void} onStep called after each step of the inversion
 * @returns {Promise<{ samples: import("ddim-wasm").PlainTensor, converged: boolean, difference: number }>}
 */
export async function redrawDigits(unet, options, onStep) {
  const { digits, steps, from } = options;
  // What clipping cuts off, no inversion brings back.
  const pipeline = makePipeline(unet, options, false);
  const sample = { data: from, dims: [digits.length, 1, SIZE, SIZE] };
  const loop = { numInferenceSteps: steps, condition: digits };
  const inversion = await pipeline.invert({ ...loop, sample, refine: true, onStep });
  const samples = await pipeline.run({ ...loop, sample: inversion.sample });
  const difference = samples.data.reduce((most, value, i) => Math.max(most, Math.abs(value - from[i])), 0);
  return { samples, converged: inversion.converged, difference };
}
