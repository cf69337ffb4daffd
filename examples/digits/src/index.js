// Draws digits into a PNG sheet, and has a classifier read them back.

import { writeFileSync } from "node:fs";
import { Generator } from "ddim-wasm";
import { readOptions } from "./command-line.js";
import { loadModel } from "./loading.js";
import { readDigits } from "./models.js";
import { encodeFloats, encodeSheet } from "./pictures.js";
import { runPhase } from "./progress.js";
import {
  changeDigits,
  drawDigits,
  greyLevelsBetween,
  invertDigits,
  maskOf,
  redrawDigits,
  toTensor,
} from "./sampling.js";

const options = readOptions(process.argv);
const { digits, steps, inversionSteps } = options;
const [unet, classifier] = await runPhase("loading the models", () =>
  Promise.all([loadModel("digits-unet"), loadModel("digits-classifier")]),
);

// One generator for all: what is painted anew starts from other noise than what was drawn.
const generator = new Generator(options.seed);
const drawn = options.from
  ? toTensor(options.from)
  : await runPhase(`drawing ${digits.length} digits in ${steps} steps`, (onStep) =>
      drawDigits(unet, options, generator, onStep),
    );

/** What was found out about the changed digits, a line each. */
const findings = [];
let changed;
if (options.invert) {
  const inversion = await runPhase(`finding their noise in ${inversionSteps} steps`, (onStep) =>
    invertDigits(unet, options, drawn, onStep),
  );
  changed = await runPhase(`drawing them from it in ${inversionSteps} steps`, (onStep) =>
    redrawDigits(unet, options, inversion.sample, onStep),
  );
  const { converged, worst } = inversion;
  const { mean, most } = greyLevelsBetween(drawn, changed);
  findings.push(
    converged
      ? "the inversion converged in every step"
      : `the inversion did not converge (worst at timestep ${worst.timestep}): take more --steps`,
    `drawn again, a pixel is ${mean.toFixed(2)} grey levels of 255 off on average, ${most.toFixed(0)} at most`,
  );
} else if (options.inpaint || options.strength !== undefined) {
  const what = options.inpaint ? `painting the ${options.inpaint} half of each` : "changing them";
  const mask = options.inpaint && maskOf(options.inpaint);
  changed = await runPhase(what, (onStep) => changeDigits(unet, { ...options, mask }, drawn, generator, onStep));
}

const samples = changed ?? drawn;
const readings = await runPhase("reading the digits", () => readDigits(classifier, samples));
findings.push(`${readings.filter((reading, i) => reading === digits[i]).length} of ${digits.length} recognised`);

try {
  if (options.raw !== undefined) writeFileSync(options.raw, encodeFloats(samples));
  writeFileSync(options.out, encodeSheet(changed ? [drawn, changed] : [drawn]));
  console.log(options.out);
  for (const finding of findings) console.log(finding);
} catch (error) {
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
}
