// What the playground can be set to: names, values and defaults, as the controls, links and the worker have them.

import { PRECISIONS, SAMPLERS as WORDS_SAMPLERS, SPACINGS } from "../../examples/text-to-image/src/schedulers.js";
import { SAMPLERS as DIGITS_SAMPLERS } from "../../examples/digits/src/schedulers.js";

/**
 * @typedef {object} Settings
 * @property {"words" | "digits"} model
 * @property {string} prompt
 * @property {string} negative
 * @property {number} digit
 * @property {number} steps
 * @property {number} seed
 * @property {number} guidance
 * @property {number} eta
 * @property {"ddim" | "dpm" | "lcm" | "tcd"} sampler
 * @property {"leading" | "trailing" | "linspace"} spacing
 * @property {"float32" | "float16"} precision
 * @property {"noise" | "sketch" | "mask"} start
 * @property {number} strength
 * @property {string} sketch as pixels.js encodes it
 * @property {string} mask the same
 * @property {string} over the link of the picture that the mask lies on
 */

export const MODELS = ["words", "digits"];
export const STARTS = ["noise", "sketch", "mask"];
export { PRECISIONS, SPACINGS };

/** The samplers that draw with each model, and all of them. */
export const SAMPLERS_OF = { words: WORDS_SAMPLERS, digits: DIGITS_SAMPLERS };
export const SAMPLERS = WORDS_SAMPLERS;

/** Width and height of each model's pictures. */
export const SIZES = { words: 64, digits: 32 };

/** [least, most, step] of the numbers. */
export const RANGES = {
  digit: [0, 9, 1],
  steps: [1, 50, 1],
  seed: [0, 2 ** 32 - 1, 1],
  guidance: [0, 15, 0.5],
  eta: [0, 1, 0.05],
  strength: [0.05, 1, 0.05],
};

const CHOICES = {
  model: MODELS,
  sampler: SAMPLERS,
  spacing: SPACINGS,
  precision: PRECISIONS,
  start: STARTS,
};

/** How long a text may be: what is longer is no prompt, and a link with it would not open everywhere. */
const LENGTHS = { prompt: 300, negative: 300, sketch: 4000, mask: 4000, over: 6000 };

const COMMON = {
  negative: "",
  digit: 7,
  steps: 20,
  seed: 11,
  eta: 0,
  sampler: "ddim",
  spacing: "leading",
  precision: "float32",
  start: "noise",
  strength: 0.7,
  sketch: "",
  mask: "",
  over: "",
};

/** @type {Record<Settings["model"], Settings>} */
export const DEFAULTS = {
  words: { ...COMMON, model: "words", prompt: "a big red star on a blue background", guidance: 5 },
  digits: { ...COMMON, model: "digits", prompt: "", guidance: 2 },
};

/** The value that a link's text stands for; undefined where it stands for none. */
function read(name, text) {
  if (CHOICES[name]) return CHOICES[name].includes(text) ? text : undefined;
  if (LENGTHS[name]) return text.length <= LENGTHS[name] ? text : undefined;
  const [least, most, step] = RANGES[name];
  const value = text.trim() === "" ? NaN : Number(text);
  if (!(value >= least && value <= most)) return undefined;
  return step === 1 && !Number.isInteger(value) ? undefined : value;
}

/**
 * The settings of a link's text. What it does not say, or says wrongly, is the default.
 *
 * @param {string} text as writeSettings makes it
 * @returns {Settings}
 */
export function readSettings(text) {
  const given = new URLSearchParams(text);
  const settings = { ...DEFAULTS[read("model", given.get("model") ?? "") ?? "words"] };
  for (const name of Object.keys(settings)) {
    const value = given.has(name) ? read(name, given.get(name)) : undefined;
    if (value !== undefined) settings[name] = value;
  }
  if (!SAMPLERS_OF[settings.model].includes(settings.sampler)) settings.sampler = "ddim";
  return settings;
}

/** @returns {string} for a link: what is not the default, of what the picture depends on */
export function writeSettings(settings) {
  const text = new URLSearchParams({ model: settings.model });
  for (const [name, initial] of Object.entries(DEFAULTS[settings.model])) {
    if (settings[name] !== initial && isUsed(settings, name)) text.set(name, settings[name]);
  }
  return text.toString();
}

/** Whether the picture depends on a setting at all. */
function isUsed({ model, start }, name) {
  if (name === "prompt" || name === "negative") return model === "words";
  if (name === "digit") return model === "digits";
  if (name === "sketch") return start === "sketch";
  if (name === "mask" || name === "over") return start === "mask";
  if (name === "strength") return start !== "noise";
  return true;
}

/** Whether a link can hold all of the settings. */
export function fitsInLink(settings) {
  return Object.entries(LENGTHS).every(([name, most]) => settings[name].length <= most);
}

/**
 * Why a control, or a choice of one, has no effect: a key of the strings, or null.
 *
 * @param {Settings} settings
 * @param {keyof Settings} name
 * @param {string} [choice]
 */
export function whyNot({ model, sampler, guidance }, name, choice = undefined) {
  if (name === "eta" && (sampler === "dpm" || sampler === "lcm")) return "noEta";
  if (name === "spacing" && (sampler === "lcm" || sampler === "tcd")) return "ownSpacing";
  if (name === "negative" && guidance <= 1) return "noGuidance";
  if (name === "sampler" && choice && !SAMPLERS_OF[model].includes(choice)) return "wordsOnly";
  return null;
}

/** The settings for another model: what suits both is kept. */
export function withModel(settings, model) {
  const { prompt, guidance } = DEFAULTS[model];
  const sampler = SAMPLERS_OF[model].includes(settings.sampler) ? settings.sampler : "ddim";
  return {
    ...settings,
    model,
    prompt: settings.prompt || prompt,
    guidance,
    sampler,
    start: "noise",
    sketch: "",
    mask: "",
    over: "",
  };
}
