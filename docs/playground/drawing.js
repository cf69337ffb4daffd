// Drawing as the page sees it: what is going on, what came out, and what can be done about it.

import { reactive, shallowReactive } from "vue";
import { Painter } from "./painter.js";
import { colourPixels, decodePixels, maskPixels, PALETTES } from "./pixels.js";
import { readSchedule } from "./schedule.js";
import { readSettings, SIZES, writeSettings } from "./settings.js";

/**
 * @typedef {import("./worker/worker.js").Picture} Picture
 * @typedef {import("./settings.js").Settings} Settings
 * @typedef {object} Result
 * @property {string} link the settings in short
 * @property {Picture} picture
 * @property {Picture[]} frames x_0 of each step
 * @property {{ model: number, sampler: number } | null} seconds null for the ready-made example
 */

/** How many pictures are kept, for going back to them. */
const KEPT = 30;

export function useDrawing() {
  const painter = new Painter();
  /** @type {Map<string, Result>} by their links */
  const kept = new Map();
  /** @type {Map<string, Promise<void>>} the models that are there or on their way */
  const models = new Map();
  let controller = new AbortController();
  let running = Promise.resolve();

  const progress = reactive({
    /** @type {"idle" | "loading" | "drawing" | "done" | "cancelled" | "failed"} */
    phase: "idle",
    step: 0,
    total: 0,
    error: "",
  });
  /** The models' bytes, which come in whatever the phase is. */
  const bytes = reactive({ read: 0, total: 0 });
  const shown = shallowReactive({
    /** @type {Result | null} */
    result: null,
    /** @type {Picture | null} */
    preview: null,
    /** @type {Picture[]} of the drawing under way */
    frames: [],
  });

  /** Loads a model, unless it is there. */
  function load(model) {
    if (!models.has(model)) {
      const loading = painter.load(model, (report) => {
        Object.assign(bytes, report);
      });
      models.set(model, loading);
      loading.catch(() => models.clear()); // another worker begins with none
    }
    return models.get(model);
  }

  /** What a drawing starts from beside noise. */
  async function startOf(settings, signal) {
    const size = SIZES[settings.model];
    if (settings.start === "sketch") {
      const palette = PALETTES[settings.model];
      return { image: colourPixels(decodePixels(settings.sketch, size, palette.length), palette) };
    }
    if (settings.start === "mask") {
      const under = await render(readSettings(settings.over), signal);
      return under && { image: under.picture, mask: maskPixels(decodePixels(settings.mask, size, 2)) };
    }
    return {};
  }

  /** @returns {Promise<Result | null>} null if it was aborted */
  async function render(settings, signal) {
    const link = writeSettings(settings);
    const before = kept.get(link);
    if (before) return before;
    await load(settings.model);
    const start = signal.aborted ? null : await startOf(settings, signal);
    if (!start || signal.aborted) return null;
    const frames = [];
    const { timesteps } = await readSchedule(settings);
    Object.assign(progress, { phase: "drawing", step: 0, total: timesteps.length });
    const drawn = await painter.draw(settings, start, {
      signal,
      onStep({ step, preview, frame }) {
        progress.step = step + 1;
        frames.push(frame);
        Object.assign(shown, { preview, frames: frames.slice() });
      },
    });
    if (!drawn || signal.aborted) return null;
    const result = { link, frames, ...drawn };
    kept.set(link, result);
    if (kept.size > KEPT) kept.delete(kept.keys().next().value);
    return result;
  }

  async function run(settings, signal) {
    Object.assign(progress, { phase: "loading", step: 0, total: 0, error: "" });
    Object.assign(shown, { preview: null, frames: [] });
    try {
      const result = await render(settings, signal);
      if (signal.aborted) return false;
      Object.assign(shown, { result });
      progress.phase = "done";
      return true;
    } catch (error) {
      if (!signal.aborted) Object.assign(progress, { phase: "failed", error: error.message });
      return false;
    } finally {
      Object.assign(shown, { preview: null, frames: [] });
    }
  }

  /** Stops before the next step. */
  function cancel() {
    controller.abort();
    if (isBusy()) progress.phase = "cancelled";
  }

  const isBusy = () => progress.phase === "loading" || progress.phase === "drawing";

  /**
   * @param {Settings} settings
   * @returns {Promise<boolean>} whether the picture was drawn
   */
  async function draw(settings) {
    cancel();
    const own = new AbortController();
    controller = own;
    progress.phase = "loading";
    const before = running;
    running = before.then(() => !own.signal.aborted && run({ ...settings }, own.signal));
    return running;
  }

  /** Loads a model ahead of its first use; if that fails, the drawing will tell. */
  const preload = (model) => load(model).catch(() => {});

  function end() {
    controller.abort();
    painter.end();
  }

  return { progress, bytes, shown, draw, cancel, preload, isBusy, end, pictureOf: (link) => kept.get(link)?.picture };
}
