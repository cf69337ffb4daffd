// The options: their meaning, defaults and checks. All checks happen here, before a model is loaded.

import { closeSync, existsSync, openSync, readFileSync, rmSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Command, InvalidArgumentError, Option } from "commander";
import { SAMPLER_DEFAULTS, SAMPLERS } from "./schedulers.js";

/**
 * @typedef {object} Options
 * @property {number[]} digits what to draw
 * @property {"ddim" | "dpm"} scheduler which sampler
 * @property {number} steps model calls a digit takes
 * @property {number} inversionSteps steps from digit to noise, and back
 * @property {bigint} seed of the noise
 * @property {number} guidance how strongly the model keeps to the digit asked for
 * @property {AbortSignal} [signal] stops the drawing; not of the command line
 * @property {number} eta share of DDPM's noise in a step
 * @property {"leading" | "linspace" | "trailing"} spacing of the timesteps
 * @property {string} out the sheet's file
 * @property {string} [raw] the samples' file
 * @property {Float32Array} [from] digits drawn before, as `raw` has them
 * @property {number} [strength] change those digits, or new ones: how far on the way back to noise
 * @property {"top" | "bottom" | "left" | "right"} [inpaint] paint this half of them anew
 * @property {boolean} [invert] find their noise, and draw them from it
 */

/** Steps of an inversion: with fewer, most of its steps near the image are too long to converge. */
const INVERSION_STEPS = 50;

const HELP = `
Examples (from the root of the repository; all of them take seconds, --invert half a minute):
  npm run demo                                 ten digits in 20 steps: 10 of 10 are recognised
  npm run demo -- --digits 31415926 --seed 3
  npm run demo -- --steps 5                    fewer steps, coarser digits
  npm run demo -- --scheduler dpm --steps 8    another sampler, which needs fewer: 10 of 10 as well
  npm run demo -- --inpaint right              draws ten digits, then paints their right halves anew
  npm run demo -- --strength 0.6               draws ten digits, then variations of them
  npm run demo -- --invert                     draws ten digits, finds their noise, draws them from it again
  npm run demo -- --raw digits.f32             keeps the digits, for --from:
  npm run demo -- --from digits.f32 --strength 0.9 --digits 9876543210

What to expect:
  --inpaint   Painted as the digits they are, 10 of 10 are recognised. As other --digits few are: half a 0 fits no 1.
  --invert    Steps are corrected until drawing undoes them, without guidance or clipping, whose effect cannot be undone.
              In ${INVERSION_STEPS} steps all converge, and the digits come back less than half a grey level of 255 off on average.
              In 20 steps some do not converge, which is printed.

A sheet of changed digits shows them before, and in the rows below after.`;

const DEFAULT_OUT = fileURLToPath(new URL("../digits.png", import.meta.url));

/**
 * The options of a command line. One that is wrong ends the process with a line on stderr.
 *
 * @param {string[]} argv process.argv
 * @returns {Options}
 */
export function readOptions(argv) {
  const program = new Command("digits")
    .description("Draws handwritten digits with a diffusion model, and has a classifier read them.")
    .showSuggestionAfterError(false)
    .addOption(option("--digits <digits>", "what to draw", readDigitList, "0123456789"))
    .addOption(new Option("--scheduler <name>", "the sampler: DDIM or DPM-Solver++").choices(SAMPLERS).default("ddim"))
    .addOption(
      new Option(
        "--steps <count>",
        `steps from noise to digit (default: 20, 10 with dpm, ${INVERSION_STEPS} with --invert)`,
      ).argParser(readSteps),
    )
    .addOption(option("--seed <seed>", "seed of the noise", readSeed, "0"))
    .addOption(option("--guidance <scale>", "how strongly to keep to the digits asked for", readGuidance, "2"))
    .addOption(option("--eta <share>", "noise of each step: 0 is DDIM, 1 is DDPM", readEta, "0"))
    .addOption(
      new Option("--spacing <name>", "how the timesteps are spread (default: leading, trailing with dpm)").choices([
        "leading",
        "linspace",
        "trailing",
      ]),
    )
    .addOption(
      new Option("--out <file>", "the picture, a PNG")
        .argParser(readPath)
        .default(DEFAULT_OUT, "digits.png beside src"),
    )
    .addOption(new Option("--raw <file>", "the samples too, as little-endian float32").argParser(readPath))
    .addOption(
      new Option("--strength <share>", "change the digits once drawn: 1 draws them anew").argParser(readStrength),
    )
    .addOption(
      new Option("--inpaint [half]", "paint a half of the digits anew, once drawn")
        .choices(["top", "bottom", "left", "right"])
        .preset("bottom"),
    )
    .addOption(
      new Option("--invert", "find the noise of the digits, once drawn, and draw them from it again").conflicts([
        "strength",
        "inpaint",
      ]),
    )
    .addOption(new Option("--from <file>", "change these digits, written by --raw, not new ones").argParser(readPath))
    .addHelpText("after", HELP)
    .parse(argv);

  const given = program.opts();
  const options = /** @type {Options} */ ({
    ...SAMPLER_DEFAULTS[given.scheduler],
    ...given,
    inversionSteps: given.steps ?? INVERSION_STEPS,
  });
  if (options.scheduler === "dpm") {
    if (options.invert) program.error("error: option '--scheduler dpm' cannot be used with option '--invert'");
    if (options.eta > 0) program.error("error: option '--scheduler dpm' adds no noise: it takes no --eta but 0");
    if (options.spacing !== "trailing" && options.steps > 999) {
      program.error(`error: option '--scheduler dpm' takes at most 999 steps with --spacing ${options.spacing}`);
    }
  }
  if (options.out === options.raw) program.error("error: options '--out' and '--raw' name the same file");
  for (const name of /** @type {const} */ (["out", "raw"])) {
    const problem = options[name] === undefined ? null : whyNotWritable(options[name]);
    if (problem) program.error(`error: option '--${name} <file>' names no file that can be written: ${problem}`);
  }
  const isChange = ["strength", "inpaint", "invert"].some((name) => options[name] !== undefined);
  if (options.from !== undefined) {
    if (!isChange) program.error("error: option '--from <file>' takes --strength, --inpaint or --invert beside it");
    options.from = readDigits(program, options.from, options.digits.length);
  }
  return options;
}

/** The pixels in a file of --raw. */
function readDigits(program, file, count) {
  let bytes;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    program.error(`error: option '--from <file>' names no file that can be read: ${error.message}`);
  }
  const expected = 4 * 32 * 32 * count;
  if (bytes.length !== expected) {
    program.error(`error: option '--from <file>' expected ${expected} bytes for ${count} digits, got ${bytes.length}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Float32Array.from({ length: expected / 4 }, (_, i) => view.getFloat32(4 * i, true));
}

/** An option whose default is read as its argument would be. */
function option(flags, description, read, defaultText) {
  return new Option(flags, description).argParser(read).default(read(defaultText), defaultText);
}

function readDigitList(text) {
  if (!/^[0-9]{1,100}$/.test(text)) throw new InvalidArgumentError("Expected 1 to 100 of the digits 0 to 9.");
  return Array.from(text, Number);
}

function readSteps(text) {
  return readNumber(text, "a whole number from 1 to 1000", (v) => Number.isInteger(v) && v >= 1 && v <= 1000);
}

function readGuidance(text) {
  return readNumber(text, "a finite number", Number.isFinite);
}

function readEta(text) {
  return readNumber(text, "a number from 0 to 1", (v) => v >= 0 && v <= 1);
}

function readStrength(text) {
  return readNumber(text, "a number above 0 and at most 1", (v) => v > 0 && v <= 1);
}

function readNumber(text, expected, isAllowed) {
  const value = text.trim() === "" ? NaN : Number(text);
  if (!isAllowed(value)) throw new InvalidArgumentError(`Expected ${expected}.`);
  return value;
}

function readSeed(text) {
  const seed = /^-?[0-9]+$/.test(text) ? BigInt(text) : null;
  if (seed === null || seed < -(2n ** 63n) || seed >= 2n ** 64n) {
    throw new InvalidArgumentError("Expected a whole number from -2^63 to 2^64 - 1.");
  }
  return seed;
}

function readPath(text) {
  if (text === "") throw new InvalidArgumentError("Expected the name of a file.");
  return resolve(text);
}

/** The system's own words on why a file cannot be written; null if it can. Leaves everything as it was. */
function whyNotWritable(file) {
  try {
    const isNew = !existsSync(file);
    closeSync(openSync(file, "a"));
    if (isNew) rmSync(file);
    return null;
  } catch (error) {
    return error.message;
  }
}
