// Draws in a Web Worker. What it exposes here is the protocol; comlink carries it.

import { expose } from "comlink";
import { init } from "ddim-wasm";
import { env } from "onnxruntime-web/wasm";
import { loadDigits } from "./digits.js";
import { readFiles } from "./files.js";
import { loadWords } from "./words.js";

/**
 * @typedef {{ data: Uint8ClampedArray, width: number, height: number }} Picture RGBA
 * @typedef {{ step: number, total: number, preview: Picture, frame: Picture }} StepReport `frame` is what the model takes
 *   the picture to be, x_0, and `preview` the same in little
 * @typedef {{ picture: Picture, seconds: { model: number, sampler: number } }} Drawn
 * @typedef {{ image?: Picture, mask?: { data: Uint8Array, width: number, height: number } }} Start
 * @typedef {Start & { signal: AbortSignal, onStep: (report: StepReport) => Promise<void> }} DrawContext
 * @typedef {(settings: import("../settings.js").Settings, context: DrawContext) => Promise<Drawn>} Draw
 */

const LOADERS = { words: loadWords, digits: loadDigits };

/** @type {Map<string, Promise<Draw>>} */
const models = new Map();

async function loadModel(name, onBytes) {
  const files = await readFiles(["runtime", name], onBytes);
  // Static hosts do not send the headers that threads take.
  env.wasm.numThreads = 1;
  env.wasm.wasmBinary ??= files.get("ort-wasm-simd-threaded.wasm");
  await init();
  return LOADERS[name](files);
}

const protocol = {
  /**
   * @param {"words" | "digits"} name
   * @param {(report: { read: number, total: number }) => void} onBytes
   */
  async load(name, onBytes) {
    if (!models.has(name)) models.set(name, loadModel(name, onBytes));
    try {
      await models.get(name);
    } catch (error) {
      models.delete(name);
      throw error;
    }
  },

  /**
   * @param {import("../settings.js").Settings} settings of a model that is loaded
   * @param {Start} start
   * @param {(report: StepReport) => Promise<boolean>} onStep answers whether to go on
   * @returns {Promise<Drawn | null>} null if it was not to go on
   */
  async draw(settings, start, onStep) {
    const draw = await models.get(settings.model);
    const controller = new AbortController();
    try {
      return await draw(settings, {
        ...start,
        signal: controller.signal,
        // Waiting for the answer also lets the page keep up.
        onStep: async (report) => {
          if (!(await onStep(report))) controller.abort();
        },
      });
    } catch (error) {
      if (controller.signal.aborted) return null;
      throw error;
    }
  },
};

/** @typedef {typeof protocol} Protocol */

expose(protocol);
