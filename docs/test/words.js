// The model of words in Node: the same files as in the playground's worker, on the same engine.

import { fileURLToPath } from "node:url";
import * as engine from "onnxruntime-web";
import { readerOf } from "../../examples/text-to-image/src/folders.js";
import { StableDiffusion } from "../../examples/text-to-image/src/stable-diffusion.js";

const folder = fileURLToPath(new URL("../../examples/text-to-image/model", import.meta.url));

engine.env.wasm.numThreads = 1;
let loading;

/**
 * @param {import("../playground/settings.js").Settings} settings of ddim or dpm
 * @param {{ image?: Picture, mask?: object }} [start]
 * @returns {Promise<{ picture: Picture, frames: Picture[] }>}
 * @typedef {{ data: Uint8ClampedArray, width: number, height: number }} Picture
 */
export async function drawWords({ prompt, negative, ...settings }, start = {}) {
  const model = await (loading ??= StableDiffusion.load(readerOf(folder), { engine }));
  const frames = [];
  const onStep = async ({ decode }) => frames.push(...(await decode()));
  const { steps, seed, guidance, eta, sampler, spacing, precision, strength } = settings;
  const options = { prompt, negativePrompt: negative, steps, seed, guidance, sampler, spacing, precision, onStep };
  if (sampler === "ddim") options.eta = eta;
  if (start.image) Object.assign(options, start, { strength });
  const { pictures } = await model.draw(options);
  return { picture: pictures[0], frames };
}
