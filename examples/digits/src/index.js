// Draws digits into a PNG sheet, and has a classifier read them back.

import { writeFileSync } from "node:fs";
import { SingleBar, Presets } from "cli-progress";
import { readOptions } from "./command-line.js";
import { loadModel, readDigits } from "./models.js";
import { drawDigits, redrawDigits } from "./sampling.js";
import { encodeFloats, encodeSheet } from "./pictures.js";

const options = readOptions(process.argv);
const unet = await loadModel("digits-unet");
const classifier = await loadModel("digits-classifier");

const what = options.invert ? "inverting" : "drawing";
const progress = new SingleBar({ format: `${what} {bar} step {value} of {total}` }, Presets.shades_classic);
const onStep = ({ step, total }) => {
  if (step === 0) progress.start(total, 0);
  progress.increment();
};
const redrawn = options.invert ? await redrawDigits(unet, options, onStep) : null;
const samples = redrawn ? redrawn.samples : await drawDigits(unet, options, onStep);
progress.stop();

const readings = await readDigits(classifier, samples);
const recognised = readings.filter((reading, i) => reading === options.digits[i]).length;

try {
  if (options.raw !== undefined) writeFileSync(options.raw, encodeFloats(samples));
  writeFileSync(options.out, encodeSheet(samples));
  console.log(options.out);
  if (redrawn) {
    const outcome = redrawn.converged ? "converged" : "did not converge";
    console.log(
      `the inversion ${outcome}; drawn again, no pixel is more than ${redrawn.difference.toExponential(1)} off`,
    );
  }
  console.log(`${recognised} of ${options.digits.length} recognised`);
} catch (error) {
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
}
