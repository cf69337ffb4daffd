// Digits, by the example of a diffusion model of pixels.

import { Generator } from "ddim-wasm";
import { InferenceSession } from "onnxruntime-web/wasm";
import { changeDigits, drawDigits, SIZE, toTensor } from "../../../examples/digits/src/sampling.js";
import { Clock } from "../../../examples/text-to-image/src/clock.js";

/** @param {Map<string, Uint8Array>} files */
export async function loadDigits(files) {
  const session = await InferenceSession.create(files.get("digits-unet.onnx"));

  /** @type {import("./worker.js").Draw} */
  return async (settings, { image, mask, signal, onStep }) => {
    const clock = new Clock("all", "model", "report");
    const unet = { run: (feeds) => clock.time("model", session.run(feeds)) };
    const generator = new Generator(settings.seed);
    const { digit, sampler, ...same } = settings;
    const options = {
      ...same,
      digits: [digit],
      scheduler: sampler,
      strength: image ? settings.strength : undefined,
      mask: mask && { data: Float32Array.from(mask.data, (value) => value / 255), dims: [SIZE, SIZE] },
      signal,
    };
    const reportStep = ({ step, total, predOriginalSample }) => {
      const frame = toPicture(predOriginalSample);
      return clock.time("report", onStep({ step, total, preview: frame, frame }));
    };
    const drawing = image
      ? changeDigits(unet, options, fromPicture(image), generator, reportStep)
      : drawDigits(unet, options, generator, reportStep);
    const drawn = await clock.time("all", drawing);
    const { all, model, report } = clock.seconds;
    return { picture: toPicture(drawn), seconds: { model, sampler: all - model - report } };
  };
}

/** RGBA of the first of the samples. */
function toPicture({ data }) {
  const rgba = new Uint8ClampedArray(4 * SIZE * SIZE).fill(255);
  for (let i = 0; i < SIZE * SIZE; i++) rgba.fill(((data[i] + 1) / 2) * 255, 4 * i, 4 * i + 3);
  return { data: rgba, width: SIZE, height: SIZE };
}

/** The first channel of a picture. */
function fromPicture({ data }) {
  return toTensor(Float32Array.from({ length: SIZE * SIZE }, (_, i) => data[4 * i] / 127.5 - 1));
}
