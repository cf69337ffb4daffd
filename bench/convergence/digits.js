// The model and its pictures. Another model takes a file with the same exports.

import { loadModel } from "../../examples/digits/src/loading.js";
import { NO_LABEL, predictNoise } from "../../examples/digits/src/models.js";

export const MODEL = new URL("../../examples/digits/model/digits-unet.onnx", import.meta.url);

/** The noise schedule the model was trained with. */
export const SCHEDULE = { betaSchedule: "squaredcos_cap_v2" };

/** As the demo draws: each of the ten digits, from noise of its own. */
export const GUIDANCE = 2;
export const PICTURES = Array.from({ length: 10 }, (_, digit) => ({ digit, seed: digit }));

export const SHAPE = [1, 32, 32];

/** What the model is told of pictures, and of none. */
export const conditionOf = ({ digit }) => digit;
export const UNCONDITIONAL = NO_LABEL;

/** @returns a pipeline's model */
export async function load() {
  const unet = await loadModel("digits-unet");
  return (sample, timestep, { condition }) => predictNoise(unet, sample, timestep, condition);
}
