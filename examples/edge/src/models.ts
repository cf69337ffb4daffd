// The two models, each loaded when the first picture asks for it, and what they draw as PNG.

import { Generator } from "ddim-wasm";
import { encodeSheet } from "../../digits/src/pictures.js";
import { drawDigits } from "../../digits/src/sampling.js";
import { SAMPLER_DEFAULTS } from "../../digits/src/schedulers.js";
import { encodePicture } from "../../text-to-image/src/png.js";
import { type Picture, StableDiffusion } from "../../text-to-image/src/stable-diffusion.js";
import { loadTokens } from "../../text-to-image/src/tokens.js";
import { MODEL_FILES } from "./model-files.js";
import { once } from "./once.js";
import type { Engine } from "./onnxruntime.js";
import { type DigitsParameters, ParameterError, type Parameters, type ShapesParameters } from "./parameters.js";

/** The bytes of a model's file, such as "shapes/unet/model.onnx"; null if it is not there. */
export type Read = (path: string) => Promise<Uint8Array | null>;

export interface Step {
  step: number;
  total: number;
  /** A small PNG of what the model expects to come out. */
  preview: () => Promise<Uint8Array>;
}

export interface Drawing {
  onStep?: (step: Step) => unknown;
  signal?: AbortSignal;
}

export interface Models {
  /** @throws ParameterError for what only the tokenizer can tell: a prompt that is too long for the model */
  check: (parameters: Parameters, signal?: AbortSignal) => Promise<void>;
  draw: (parameters: Parameters, drawing?: Drawing) => Promise<Uint8Array>;
}

/** @param start starts onnxruntime */
export function openModels(read: Read, start: () => Promise<Engine>): Models {
  const tokens = once(async () => loadTokens(await readAhead(read, "shapes", /^tokenizer/)));
  // Once the files are there, loading waits for microtasks alone: no request is stopped with half of a model loaded.
  const shapes = once(async () => {
    const ready = await readAhead(read, "shapes");
    return StableDiffusion.load(ready, { engine: await start() });
  });
  const digits = once(async () => {
    const ready = await readAhead(read, "digits");
    const { InferenceSession } = await start();
    return InferenceSession.create((await ready("digits-unet.onnx"))!);
  });

  return {
    async check(parameters, signal) {
      if (parameters.model !== "shapes") return;
      const { encode } = await tokens(signal);
      for (const name of ["prompt", "negative"] as const) {
        try {
          encode(parameters[name]);
        } catch (error) {
          if (!(error instanceof RangeError)) throw error;
          throw new ParameterError(name, parameters[name], `fewer words: ${error.message}`);
        }
      }
    },
    async draw(parameters, drawing = {}) {
      return parameters.model === "shapes"
        ? drawShape(await shapes(drawing.signal), parameters, drawing)
        : drawDigit(await digits(drawing.signal), parameters, drawing);
    },
  };
}

async function drawShape(model: StableDiffusion, parameters: ShapesParameters, { onStep, signal }: Drawing) {
  const { prompt, negative, seed, steps, guidance, sampler, width, height } = parameters;
  const settings = { seed: String(seed), negative, steps, guidance, sampler, width, height };
  const encode = (picture: Picture) => encodePicture(picture, prompt, settings);
  const { pictures } = await model.draw({
    prompt,
    negativePrompt: negative,
    seed,
    steps,
    guidance,
    sampler,
    width,
    height,
    ...(signal && { signal }),
    async onStep({ step, total, preview }) {
      await onStep?.({ step, total, preview: async () => encode((await preview())[0]!) });
      await pause();
    },
  });
  return encode(pictures[0]!);
}

async function drawDigit(
  unet: Awaited<ReturnType<Engine["InferenceSession"]["create"]>>,
  parameters: DigitsParameters,
  { onStep, signal }: Drawing,
) {
  const { digit, seed, steps, guidance, sampler: scheduler } = parameters;
  const { spacing } = SAMPLER_DEFAULTS[scheduler];
  const options = { digits: [digit], scheduler, steps, guidance, eta: 0, spacing, ...(signal && { signal }) };
  const drawn = await drawDigits(unet, options, new Generator(seed), async ({ step, total, predOriginalSample }) => {
    await onStep?.({ step, total, preview: async () => encodeSheet([predOriginalSample]) });
    await pause();
  });
  return encodeSheet([drawn]);
}

/** Lets other requests have their turn, and the news that a client has left come in: the model never waits by itself. */
function pause() {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** Fetches the files of a model, or some of them, and gives a function that has them at hand. */
async function readAhead(read: Read, model: Parameters["model"], pattern = /./): Promise<Read> {
  const paths = MODEL_FILES[model].files.filter((path) => pattern.test(path));
  const files = new Map(
    await Promise.all(
      paths.map(async (path) => {
        const bytes = await read(`${model}/${path}`);
        if (!bytes) throw new Error(`the model's file ${model}/${path} is missing`);
        return [path, bytes] as const;
      }),
    ),
  );
  return async (path) => files.get(path) ?? null;
}
