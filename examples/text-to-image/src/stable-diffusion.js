// From words to pictures, with a Stable Diffusion folder in the layout of the Hugging Face hub's ONNX exports. This file
// is the same in Node, in a page and in a Web Worker: who uses it brings onnxruntime and the way to read the folder.

import { DiffusionPipeline, Generator, latentToRgb } from "ddim-wasm";
import { Clock } from "./clock.js";
import { Network } from "./network.js";
import { makeScheduler, samplerOf } from "./schedulers.js";
import { loadTokens } from "./tokens.js";
import { decodeLatents, encodeImage, fitLatentRgb, shrinkMask } from "./vae.js";

const FAMILY = /^(Onnx|ORT)?(StableDiffusion|LatentConsistencyModel)(Img2Img|Inpaint)?Pipeline$/;

/** What Stable Diffusion 1 has, for early exports that do not tell. */
const UNET_DEFAULTS = { sample_size: 64, block_out_channels: [320, 640, 1280, 1280] };
const VAE_DEFAULTS = { block_out_channels: [128, 256, 512, 512], latent_channels: 4, scaling_factor: 0.18215 };

/**
 * @typedef {import("./vae.js").Picture} Picture
 * @typedef {object} DrawOptions
 * @property {string | string[]} prompt one for all pictures, or one for each
 * @property {string} [negativePrompt] what not to draw
 * @property {number} [steps]
 * @property {number} [guidance] how strongly to keep to the prompt; 1 and below do without the second model call
 * @property {number} [rescale] takes back what guidance adds to the contrast, 0 to 1
 * @property {number | bigint | (number | bigint)[]} [seed] of the first picture, or of each
 * @property {number} [count] how many pictures, where neither prompt nor seed is a list
 * @property {import("./schedulers.js").SchedulerChoice["sampler"]} [sampler] default: what the folder's configuration names
 * @property {import("./schedulers.js").SchedulerChoice["spacing"]} [spacing] of the timesteps, for ddim and dpm
 * @property {import("./schedulers.js").SchedulerChoice["precision"]} [precision] of the sampler's results
 * @property {number} [eta] noise of each step, for ddim and tcd
 * @property {number} [width] default: the image's, or the model's own
 * @property {number} [height]
 * @property {Picture} [image] to start from
 * @property {number} [strength] how much of it to change, above 0 and at most 1; default 0.6, and 1 with a mask
 * @property {Picture} [mask] of the image: what is white is painted anew
 * @property {(report: StepReport) => unknown} [onStep]
 * @property {AbortSignal} [signal]
 * @typedef {object} StepReport
 * @property {number} step
 * @property {number} total
 * @property {() => Promise<Picture[]>} preview small pictures of what the model expects to come out
 * @property {() => Promise<Picture[]>} decode the same at full size, which calls the decoder
 * @typedef {object} Drawn
 * @property {Picture[]} pictures RGBA
 * @property {import("./network.js").Floats} latents before decoding
 * @property {string} sampler
 * @property {Record<string, number>} seconds that each part took
 */

export class StableDiffusion {
  #read;
  #options;
  #tokens;
  #networks = {};
  #schedulerConfig;
  #latentRgb;
  /** The factor between latents and what the decoder takes. */
  #scaling;
  /** How many latent channels there are. */
  #channels;
  /** How long LCM's embedding of the guidance is; undefined for models without. */
  #guidanceLength;
  /** How many pixels a latent stands for, in width and in height. */
  #factor;
  /** What width and height are divisible by. */
  multiple;
  /** The width and height that the model was trained for. */
  size;

  /**
   * @param {import("./network.js").Read} read
   * @param {object} options
   * @param {import("./network.js").Engine} options.engine
   * @param {string} [options.dtype] which of several model files: fp32, fp16, q8, q4, q4f16; default: the first of them
   * @param {object} [options.sessionOptions] for onnxruntime
   * @param {(message: string) => void} [options.onWarning] is told what of the scheduler's configuration does not apply
   */
  static async load(read, options) {
    const index = await readJson(read, "model_index.json");
    if (!index) throw new Error("model_index.json is missing: this is no Stable Diffusion folder");
    const family = index["_class_name"];
    if (!FAMILY.test(family)) {
      throw new Error(`${family} is another family of models: Stable Diffusion 1.x and 2.x run, and LCM`);
    }
    const model = new StableDiffusion();
    model.#read = read;
    model.#options = options;
    model.#schedulerConfig = await readJson(read, "scheduler/scheduler_config.json");
    if (!model.#schedulerConfig) throw new Error("scheduler/scheduler_config.json is missing");
    const unet = { ...UNET_DEFAULTS, ...(await readJson(read, "unet/config.json")) };
    const vae = { ...VAE_DEFAULTS, ...(await readJson(read, "vae_decoder/config.json")) };
    model.#scaling = vae.scaling_factor;
    model.#channels = vae.latent_channels;
    if ((unet.in_channels ?? model.#channels) !== model.#channels) {
      throw new Error(`the U-Net takes ${unet.in_channels} channels, as for inpainting alone: ${model.#channels} run`);
    }
    model.#factor = 2 ** (vae.block_out_channels.length - 1);
    model.multiple = model.#factor * 2 ** (unet.block_out_channels.length - 1);
    model.size = model.#factor * [unet.sample_size].flat()[0];

    model.#tokens = await loadTokens(read);
    await model.#load("text_encoder", ["input_ids"]);
    const network = await model.#load("unet", ["sample", "timestep", "encoder_hidden_states", "timestep_cond"]);
    model.#guidanceLength = network.dimsOf("timestep_cond") && (unet.time_cond_proj_dim ?? 256);
    await model.#load("vae_decoder", ["latent_sample"]);
    return model;
  }

  async #load(part, takes) {
    this.#networks[part] ??= await Network.load(this.#read, part, { ...this.#options, takes });
    return this.#networks[part];
  }

  /** @throws RangeError for a size that the model cannot draw */
  checkSize({ width, height }) {
    if ([width, height].every((size) => size > 0 && size % this.multiple === 0)) return;
    throw new RangeError(`size ${width} x ${height}: this model draws sizes that are divisible by ${this.multiple}`);
  }

  /**
   * @param {DrawOptions} options
   * @returns {Promise<Drawn>}
   */
  async draw({ prompt, negativePrompt = "", steps = 20, guidance = 5, rescale = 0, seed = 0, count = 1, ...options }) {
    const { eta, image, mask, onStep, signal } = options;
    const { width = image?.width ?? this.size, height = image?.height ?? this.size } = options;
    const { strength = mask ? 1 : 0.6 } = options;
    this.checkSize({ width, height });
    const inputs = Object.entries({ image, mask }).filter(([, picture]) => picture);
    for (const [name, picture] of inputs) {
      if (picture.width === width && picture.height === height) continue;
      throw new RangeError(`the ${name} has ${picture.width} x ${picture.height} pixels, not ${width} x ${height}`);
    }
    const batch = [prompt, seed].find(Array.isArray)?.length ?? count;
    const prompts = Array.isArray(prompt) ? prompt : Array(batch).fill(prompt);
    const seeds = Array.isArray(seed) ? seed : Array.from({ length: batch }, (_, i) => BigInt(seed) + BigInt(i));
    const generators = seeds.map((s) => new Generator(s));
    const dims = [batch, this.#channels, height / this.#factor, width / this.#factor];
    const clock = new Clock("text encoder", "U-Net", "sampler", "VAE", "onStep");

    // LCM's guidance is an input of the model.
    const isGuided = guidance > 1 && this.#guidanceLength === undefined;
    const states = new Map();
    for (const text of isGuided ? [...prompts, negativePrompt] : prompts) {
      if (!states.has(text)) states.set(text, await clock.time("text encoder", this.#encodePrompt(text)));
    }
    const scheduler = makeScheduler(this.#schedulerConfig, options, {
      onWarning: this.#options.onWarning ?? (() => {}),
    });
    const model = (sample, timestep, { step, condition }) => {
      // diffusers draws the noise of a masked image too, and does not use it; the noise of the steps comes after it.
      if (step === 0 && mask) generators.forEach((generator) => generator.randn([1, ...dims.slice(1)]));
      return clock.time("U-Net", this.#predict(sample, timestep, condition, guidance));
    };
    const run = {
      numInferenceSteps: steps,
      generator: generators,
      eta,
      condition: prompts.map((text) => states.get(text)),
      ...(isGuided && { unconditional: states.get(negativePrompt), guidanceScale: guidance, guidanceRescale: rescale }),
      checkFinite: true,
      signal,
      ...(onStep && {
        onStep: ({ step, total, predOriginalSample }) =>
          clock.time(
            "onStep",
            onStep({
              step,
              total,
              preview: () => this.#preview(predOriginalSample),
              decode: () => this.#decode(predOriginalSample),
            }),
          ),
      }),
    };
    if (image) {
      const encoder = await this.#load("vae_encoder", ["sample"]);
      const latents = await clock.time("VAE", encodeImage(encoder, image, generators, this.#scaling));
      Object.assign(run, mask ? { known: latents, mask: shrinkMask(mask, dims) } : { sample: latents }, { strength });
    } else {
      run.dims = dims;
    }
    const latents = await clock.time("sampler", new DiffusionPipeline({ scheduler, model }).run(run));
    signal?.throwIfAborted();
    const pictures = await clock.time("VAE", this.#decode(latents));
    const { onStep: waited, ...seconds } = clock.seconds;
    seconds.sampler -= seconds["U-Net"] + waited;
    return { pictures, latents: { data: latents.data, dims }, sampler: samplerOf(scheduler), seconds };
  }

  async release() {
    await Promise.all(Object.values(this.#networks).map((network) => network.release()));
  }

  async #encodePrompt(prompt) {
    const ids = this.#tokens.encode(prompt);
    return this.#networks.text_encoder.run({ input_ids: { data: ids, dims: [1, ids.length] } });
  }

  async #predict({ data, dims }, timestep, states, guidance) {
    const { unet } = this.#networks;
    const [batch] = dims;
    const [, tokens, width] = states[0].dims;
    const hidden = new Float32Array(batch * tokens * width);
    states.forEach((state, i) => hidden.set(state.data, i * tokens * width));
    // One for each of the batch where its dim bears the batch's name; else a single one, with or without dims.
    const declared = unet.dimsOf("timestep");
    const times = declared.map((dim) => (dim === unet.dimsOf("sample")[0] ? batch : 1));
    const feeds = {
      sample: { data, dims },
      timestep: { data: Array(times[0] ?? 1).fill(timestep), dims: times },
      encoder_hidden_states: { data: hidden, dims: [batch, tokens, width] },
    };
    if (this.#guidanceLength !== undefined) {
      const embedding = embedGuidance(guidance, this.#guidanceLength);
      feeds.timestep_cond = { data: Array(batch).fill(embedding).flat(), dims: [batch, embedding.length] };
    }
    return unet.run(feeds);
  }

  #decode(latents) {
    return decodeLatents(this.#networks.vae_decoder, latents, this.#scaling);
  }

  async #preview(latents) {
    this.#latentRgb ??= fitLatentRgb(this.#networks.vae_decoder, this.#channels, this.#scaling);
    const factors = await this.#latentRgb;
    return Array.from({ length: latents.dims[0] }, (_, element) => latentToRgb(latents, factors, { element }));
  }
}

/** LCM's way to tell the model how strong guidance is: sines and cosines, as of timesteps. */
function embedGuidance(guidance, length) {
  const half = length / 2;
  const angles = Array.from({ length: half }, (_, i) => 1000 * (guidance - 1) * 10000 ** (-i / (half - 1)));
  return [...angles.map(Math.sin), ...angles.map(Math.cos)];
}

async function readJson(read, path) {
  const bytes = await read(path);
  if (!bytes) return null;
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw new Error(`${path} is no JSON: ${error.message}`, { cause: error });
  }
}
