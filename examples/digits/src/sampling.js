// From noise to digits, from digits to other digits, and back to noise.

import { DDIMScheduler, DiffusionPipeline } from "ddim-wasm";
import { NO_LABEL, predictNoise } from "./models.js";
import { betaSchedule, makeScheduler } from "./schedulers.js";

/**
 * @typedef {import("onnxruntime-web").InferenceSession} Session
 * @typedef {import("ddim-wasm").PlainTensor} PlainTensor
 * @typedef {import("./command-line.js").Options} Options
 * @typedef {Pick<Options, "digits" | "scheduler" | "steps" | "eta" | "guidance" | "spacing" | "signal">} DrawOptions
 * @typedef {{ step: number, total: number, predOriginalSample: PlainTensor }} StepReport
 * @typedef {(report: StepReport) => unknown} OnStep
 */

export const SIZE = 32;

/**
 * Up to what an inversion's step may be off, of pixels in [-1, 1]: a tenth of a grey level. This model's steps near the
 * image cannot be undone much more closely.
 */
const TOLERANCE = 2 / 255 / 10;

/**
 * @param {Float32Array} data pixels in [-1, 1]
 * @returns {PlainTensor} [count, 1, 32, 32]
 */
export function toTensor(data) {
  return { data, dims: [data.length / SIZE ** 2, 1, SIZE, SIZE], type: "float32" };
}

/**
 * @param {Session} unet the diffusion model
 * @param {import("ddim-wasm").DDIMScheduler | import("ddim-wasm").DPMSolverMultistepScheduler} scheduler
 */
function makePipeline(unet, scheduler) {
  return new DiffusionPipeline({
    scheduler,
    model: (sample, timestep, { condition }) => predictNoise(unet, sample, timestep, condition),
  });
}

/** What the runs have in common that draw under guidance. */
function guidedRun({ scheduler, digits, steps, eta, guidance, signal }, generator, onStep) {
  return {
    numInferenceSteps: steps,
    generator,
    condition: digits,
    unconditional: NO_LABEL,
    guidanceScale: guidance,
    // Guidance drives the predicted digit out of [-1, 1], and clipping brings it back. The predicted noise has to
    // follow, or the two no longer make up the sample: without this 66 digits of 100 are recognised, with it all.
    // DPM-Solver++ has it follow in any case, and adds no noise.
    ...(scheduler === "ddim" && { eta, useClippedModelOutput: true }),
    signal,
    onStep,
  };
}

/**
 * Draws digits from noise, all in one batch.
 *
 * @param {Session} unet
 * @param {DrawOptions} options
 * @param {import("ddim-wasm").Generator} generator
 * @param {OnStep} onStep called after each step
 * @returns {Promise<PlainTensor>} [count, 1, 32, 32], pixels in [-1, 1]
 */
export function drawDigits(unet, options, generator, onStep) {
  const dims = [options.digits.length, 1, SIZE, SIZE];
  return makePipeline(unet, makeScheduler(options)).run({ ...guidedRun(options, generator, onStep), dims });
}

/**
 * Draws over digits: from a share of noise on, where there is a strength, and only where the mask is 1, if there is one.
 *
 * @param {Session} unet
 * @param {Options & { mask?: PlainTensor }} options
 * @param {PlainTensor} drawn
 * @param {import("ddim-wasm").Generator} generator
 * @param {OnStep} onStep
 * @returns {Promise<PlainTensor>}
 */
export function changeDigits(unet, options, drawn, generator, onStep) {
  const { strength, mask } = options;
  const start = strength === undefined ? { dims: drawn.dims } : { sample: drawn, strength };
  return makePipeline(unet, makeScheduler(options)).run({
    ...guidedRun(options, generator, onStep),
    ...start,
    ...(mask && { known: drawn, mask }),
  });
}

/**
 * 1 in the half of a digit that is to be painted.
 *
 * @param {"top" | "bottom" | "left" | "right"} half
 * @returns {PlainTensor}
 */
export function maskOf(half) {
  const inHalf = {
    top: (x, y) => y < SIZE / 2,
    bottom: (x, y) => y >= SIZE / 2,
    left: (x) => x < SIZE / 2,
    right: (x) => x >= SIZE / 2,
  }[half];
  const data = Float32Array.from({ length: SIZE * SIZE }, (_, i) => inHalf(i % SIZE, Math.floor(i / SIZE)));
  return { data, dims: [SIZE, SIZE] };
}

/** A pipeline for an inversion and its undoing. It does not clip: that could not be undone. */
function makePlainPipeline(unet, { spacing: timestepSpacing }) {
  return makePipeline(unet, new DDIMScheduler({ betaSchedule, timestepSpacing, clipSample: false }));
}

/** What an inversion and its undoing have in common: no guidance, which could not be undone. */
function plainRun({ digits, inversionSteps }, onStep) {
  return { numInferenceSteps: inversionSteps, condition: digits, onStep };
}

/**
 * Finds the noise that digits are drawn from.
 *
 * @param {Session} unet
 * @param {Options} options
 * @param {PlainTensor} drawn
 * @param {OnStep} onStep
 * @returns {Promise<import("ddim-wasm").Inversion<PlainTensor>>}
 */
export function invertDigits(unet, options, drawn, onStep) {
  const refine = { tolerance: TOLERANCE };
  return makePlainPipeline(unet, options).invert({ ...plainRun(options, onStep), sample: drawn, refine });
}

/**
 * Draws digits from the noise that was found for them.
 *
 * @param {Session} unet
 * @param {Options} options
 * @param {PlainTensor} noise
 * @param {OnStep} onStep
 * @returns {Promise<PlainTensor>}
 */
export function redrawDigits(unet, options, noise, onStep) {
  return makePlainPipeline(unet, options).run({ ...plainRun(options, onStep), sample: noise });
}

/**
 * How far two sheets are apart, in the 255 grey levels of a picture.
 *
 * @param {PlainTensor} a
 * @param {PlainTensor} b
 */
export function greyLevelsBetween(a, b) {
  const levels = a.data.map((value, i) => Math.abs(value - b.data[i]) * 127.5);
  return {
    mean: levels.reduce((sum, level) => sum + level, 0) / levels.length,
    most: levels.reduce((most, level) => Math.max(most, level), 0),
  };
}
