// The same pictures by the examples themselves, in Node with onnxruntime-web as it comes. test/reference.js bundles this
// file: its imports lie in folders whose packages may not be installed.

import { Generator } from "ddim-wasm";
import * as engine from "onnxruntime-web";
import { encodeSheet } from "../../digits/src/pictures.js";
import { drawDigits } from "../../digits/src/sampling.js";
import { SAMPLER_DEFAULTS } from "../../digits/src/schedulers.js";
import { encodePicture } from "../../text-to-image/src/png.js";
import { StableDiffusion } from "../../text-to-image/src/stable-diffusion.js";

let shapes;
let digits;

/**
 * @param {(path: string) => Promise<Uint8Array | null>} read
 * @param {Record<string, string>} parameters of the URL
 * @returns {Promise<Uint8Array>} a PNG
 */
export async function drawPicture(read, parameters) {
  const { seed = "0", sampler = "ddim" } = parameters;
  if (parameters.model === "digits") {
    digits ??= await engine.InferenceSession.create(await read("digits/digits-unet.onnx"));
    const { steps = SAMPLER_DEFAULTS[sampler].steps, guidance = 2 } = parameters;
    const { spacing } = SAMPLER_DEFAULTS[sampler];
    const [digit, ...numbers] = [parameters.digit, steps, guidance].map(Number);
    const options = { digits: [digit], scheduler: sampler, steps: numbers[0], guidance: numbers[1], eta: 0, spacing };
    return encodeSheet([await drawDigits(digits, options, new Generator(BigInt(seed)))]);
  }
  shapes ??= await StableDiffusion.load((path) => read(`shapes/${path}`), { engine });
  const { prompt, negative = "" } = parameters;
  const [steps, guidance, width, height] = Object.entries({ steps: 20, guidance: 5, width: 64, height: 64 }).map(
    ([name, initial]) => Number(parameters[name] ?? initial),
  );
  const options = { seed, negative, steps, guidance, sampler, width, height };
  const { pictures } = await shapes.draw({ ...options, prompt, negativePrompt: negative, seed: BigInt(seed) });
  return encodePicture(pictures[0], prompt, options);
}
