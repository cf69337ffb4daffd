// Pictures from words, by the example of Stable Diffusion.

import * as engine from "onnxruntime-web/wasm";
import { StableDiffusion } from "../../../examples/text-to-image/src/stable-diffusion.js";
import { whyNot } from "../settings.js";

/** @param {Map<string, Uint8Array>} files */
export async function loadWords(files) {
  const model = await StableDiffusion.load(async (path) => files.get(path) ?? null, { engine });

  /** @type {import("./worker.js").Draw} */
  return async (settings, { image, mask, signal, onStep }) => {
    const { prompt, negative, steps, seed, guidance, eta, sampler, spacing, precision, strength } = settings;
    const { pictures, seconds } = await model.draw({
      prompt,
      steps,
      seed,
      guidance,
      sampler,
      precision,
      ...(whyNot(settings, "negative") === null && { negativePrompt: negative }),
      ...(whyNot(settings, "eta") === null && { eta }),
      ...(whyNot(settings, "spacing") === null && { spacing }),
      ...(image && { image, strength }),
      mask,
      signal,
      onStep: async ({ step, total, preview, decode }) => {
        const [[small], [frame]] = [await preview(), await decode()];
        await onStep({ step, total, preview: small, frame });
      },
    });
    const { sampler: inSampler, ...parts } = seconds;
    const inModel = Object.values(parts).reduce((sum, value) => sum + value, 0);
    return { picture: pictures[0], seconds: { model: inModel, sampler: inSampler } };
  };
}
