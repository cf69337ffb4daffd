// The model of this folder on onnxruntime-node, and what the tests compare.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import engine from "onnxruntime-node";
import { readerOf } from "../src/folders.js";
import { StableDiffusion } from "../src/stable-diffusion.js";

export const modelFolder = fileURLToPath(new URL("../model", import.meta.url));
export const program = fileURLToPath(new URL("../src/index.js", import.meta.url));

export const golden = JSON.parse(readFileSync(new URL("golden/shapes.json", import.meta.url), "utf8"));

export function loadModel(folder = modelFolder, options = {}) {
  return StableDiffusion.load(readerOf(folder), { engine, sessionOptions: { logSeverityLevel: 4 }, ...options });
}

/** The options of draw() for a golden case. */
export function optionsOf(golden) {
  const picture = (text) => text && { data: [...Buffer.from(text, "base64")], width: 64, height: 64 };
  return {
    prompt: golden.prompt,
    negativePrompt: golden.negative_prompt,
    steps: golden.num_inference_steps,
    guidance: golden.guidance_scale,
    rescale: golden.guidance_rescale,
    seed: golden.seed,
    sampler: golden.sampler,
    eta: golden.eta,
    image: picture(golden.image),
    strength: golden.strength,
    mask: picture(golden.mask),
  };
}

/** Little-endian float32 numbers. */
export function floatsOf(text) {
  const bytes = Buffer.from(text, "base64");
  return Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i));
}

/** The colours of RGBA pictures, one after another. */
export function coloursOf(pictures) {
  return pictures.flatMap(({ data }) => Array.from(data).filter((_, i) => i % 4 < 3));
}

/** The largest difference; NaN and differing lengths fail. */
export function assertNear(actual, expected, tolerance) {
  assert.equal(actual.length, expected.length);
  const worst = expected.reduce((most, value, i) => Math.max(most, Math.abs(actual[i] - value)), 0);
  assert.ok(worst <= tolerance, `differs by ${worst}, more than ${tolerance}`);
  return worst;
}
