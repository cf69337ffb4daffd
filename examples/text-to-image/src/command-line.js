// The options: their meaning, defaults and checks. What needs the model to be checked is checked once it is loaded.

import { accessSync, constants, existsSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { DTYPES } from "./network.js";
import { PRECISIONS, SAMPLERS, SPACINGS } from "./schedulers.js";

const own = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

const NUMBER = { is: Number.isFinite, text: "a finite number" };
const SHARE = { is: (v) => v >= 0 && v <= 1, text: "a number from 0 to 1" };

/** The options with a value: what it is called, what it does, its default, and what is read of it. */
const OPTIONS = {
  negative: ["TEXT", "what not to draw", "", (text) => text],
  steps: [
    "N",
    "steps from noise to picture",
    "20",
    number({ is: isWhole(1, 1000), text: "a whole number from 1 to 1000" }),
  ],
  guidance: ["SCALE", "how strongly to keep to the prompt", "5", number(NUMBER)],
  rescale: ["SHARE", "takes back the contrast that guidance adds", "0", number(SHARE)],
  seed: ["SEED", "of the noise, as PyTorch takes it", "0", readSeed],
  sampler: ["NAME", SAMPLERS.join(", "), undefined, oneOf(SAMPLERS)],
  spacing: ["NAME", `of the timesteps, for ddim and dpm: ${SPACINGS.join(", ")}`, undefined, oneOf(SPACINGS)],
  precision: ["NAME", `of the sampler's results: ${PRECISIONS.join(", ")}`, undefined, oneOf(PRECISIONS)],
  eta: ["SHARE", "noise of each step, for ddim and tcd", undefined, number(SHARE)],
  size: ["PIXELS", "width and height, or WIDTHxHEIGHT", undefined, readSize],
  count: [
    "N",
    "pictures, each of the next seed",
    "1",
    number({ is: isWhole(1, 1000), text: "a whole number from 1 to 1000" }),
  ],
  image: ["FILE", "a picture to start from, in any format", undefined, readPath],
  strength: [
    "SHARE",
    "how much of the picture to change",
    undefined,
    number({ is: (v) => v > 0 && v <= 1, text: "a number above 0 and at most 1" }),
  ],
  mask: ["FILE", "of --image: what is white is painted anew", undefined, readPath],
  model: ["NAME", "a folder, or OWNER/NAME on the Hugging Face hub", own("model"), (text) => text],
  dtype: ["NAME", `which of several model files: ${DTYPES.join(", ")}`, undefined, oneOf(DTYPES)],
  out: ["FILE", "the picture, a PNG", own("picture.png"), readPath],
};

const USAGE = [
  "usage: text-to-image PROMPT [options]",
  "",
  ...Object.entries(OPTIONS).map(([name, [value, meaning]]) => `  ${`--${name} ${value}`.padEnd(18)}${meaning}`),
].join("\n");

/**
 * @param {string[]} args the command line's
 * @returns {{ help: string } | ({ prompt: string } & Record<keyof typeof OPTIONS, any>)}
 * @throws Error in one line
 */
export function readOptions(args) {
  const options = Object.fromEntries(Object.keys(OPTIONS).map((name) => [name, { type: "string" }]));
  const { values, positionals } = parseArgs({
    args,
    options: { ...options, help: { type: "boolean", short: "h" } },
    allowPositionals: true,
  });
  if (values.help) return { help: USAGE };
  if (positionals.length > 1) throw new Error(`one prompt expected, in quotes; got ${positionals.length}`);
  const prompt = positionals[0]?.trim();
  if (!prompt) throw new Error('a prompt expected, such as "a big red star on a blue background"');

  const read = { prompt };
  for (const [name, [, , initial, reader]] of Object.entries(OPTIONS)) {
    const text = values[name] ?? initial;
    try {
      read[name] = text === undefined ? undefined : reader(text);
    } catch (error) {
      throw new Error(`--${name} ${JSON.stringify(text)}: ${error.message}`, { cause: error });
    }
  }
  for (const [name, other] of [
    ["strength", "image"],
    ["mask", "image"],
  ]) {
    if (read[name] !== undefined && read[other] === undefined) throw new Error(`--${name} takes --${other} beside it`);
  }
  checkWritable(read.out);
  return read;
}

function number({ is, text: expected }) {
  return (text) => {
    const value = text.trim() === "" ? NaN : Number(text);
    if (!is(value)) throw new Error(`expected ${expected}`);
    return value;
  };
}

function isWhole(least, most) {
  return (value) => Number.isInteger(value) && value >= least && value <= most;
}

function oneOf(names) {
  return (text) => {
    if (!names.includes(text)) throw new Error(`expected one of ${names.join(", ")}`);
    return text;
  };
}

function readSeed(text) {
  const seed = /^-?[0-9]+$/.test(text) ? BigInt(text) : null;
  if (seed === null || seed < -(2n ** 63n) || seed >= 2n ** 64n) {
    throw new Error("expected a whole number from -2^63 to 2^64 - 1");
  }
  return seed;
}

function readSize(text) {
  const [, width, height = width] = /^([1-9][0-9]{0,3})(?:x([1-9][0-9]{0,3}))?$/.exec(text) ?? [];
  if (width === undefined) throw new Error("expected a number of pixels, or two as in 64x96");
  return { width: Number(width), height: Number(height) };
}

function readPath(text) {
  if (text === "") throw new Error("expected the name of a file");
  return resolve(text);
}

/** Leaves everything as it was: the file is written when all is drawn. */
function checkWritable(file) {
  try {
    if (existsSync(file) && statSync(file).isDirectory()) throw new Error("it is a folder");
    accessSync(existsSync(file) ? file : dirname(file), constants.W_OK);
  } catch (error) {
    throw new Error(`--out ${JSON.stringify(file)} cannot be written: ${error.message}`, { cause: error });
  }
}
