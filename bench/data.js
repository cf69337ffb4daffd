// What is computed: the operations, the shapes, and for each pair of them a task, which holds the inputs and constants
// that every contestant gets.

import { DDIMScheduler, Generator } from "ddim-wasm";

export const TYPES = ["float32", "float16"];

export const SHAPES = [
  [1, 4, 64, 64],
  [1, 4, 128, 128],
  [1, 3, 512, 512],
  [16, 4, 128, 128],
];

/** From 4 K to 16 M elements. */
export const SIZES = [32, 64, 128, 256, 512, 1024, 2048].map((side) => [1, 4, side, side]);

export const INFERENCE_STEPS = 50;

/** The middle of the schedule. */
export const TIMESTEP = 500;

/** How far a step leads down. */
export const STRIDE = 1000 / INFERENCE_STEPS;

export const GUIDANCE_SCALE = 7.5;

/** Dynamic thresholding. The upper bound is high enough for the quantile to decide. */
export const THRESHOLD = { ratio: 0.995, sampleMaxValue: 10 };

/** Tensors that each operation reads, in elements of the sample; each writes one. */
const READ = {
  "linear step": 2,
  "clipped step": 2,
  "guided clipped step": 3,
  "thresholded step": 2,
  addNoise: 2,
  randn: 0,
};

export const OPERATIONS = Object.keys(READ);

/** Of the library's default schedule. */
export const { alphasCumprod } = new DDIMScheduler();

/** What a step from a timestep multiplies with, in float64. */
export function makeConstants(timestep, eta = 0) {
  const alpha = alphasCumprod[timestep];
  const alphaPrev = alphasCumprod[timestep - STRIDE] ?? 1;
  const sigma = eta * Math.sqrt(((1 - alphaPrev) / (1 - alpha)) * (1 - alpha / alphaPrev));
  return {
    sqrtAlpha: Math.sqrt(alpha),
    sqrtBeta: Math.sqrt(1 - alpha),
    sqrtAlphaPrev: Math.sqrt(alphaPrev),
    sqrtBetaPrev: Math.sqrt(1 - alphaPrev - sigma ** 2),
    sigma,
  };
}

export function nameShape(dims) {
  return dims.slice(dims[0] === 1 ? 1 : 0).join("x");
}

/** Inputs are standard normal; halves are the bits of binary16 in a Uint16Array. */
export function makeTask(operation, type, dims) {
  const generator = new Generator(2010_02502);
  const length = dims.reduce((product, size) => product * size);
  const guided = operation === "guided clipped step";
  const normal = (times = 1) => generator.randn([times * dims[0], ...dims.slice(1)], { type }).data;
  return {
    operation,
    type,
    dims,
    batch: dims[0],
    length,
    sample: normal(),
    modelOutput: normal(guided ? 2 : 1),
    noise: normal(),
    bytesMoved: (READ[operation] + 1) * length * (type === "float16" ? 2 : 4),
    timestep: TIMESTEP,
    inferenceSteps: INFERENCE_STEPS,
    guidanceScale: GUIDANCE_SCALE,
    threshold: THRESHOLD,
    scale: 1,
    ...makeConstants(TIMESTEP),
  };
}
