// Draws digits into a PNG sheet, and has a classifier read them back.

import { writeFileSync } from "node:fs";
import { SingleBar, Presets } from "cli-progress";
import { readOptions } from "./command-line.js";
import { loadModel, readDigits } from "./models.js";
import { drawDigits } from "./sampling.js";
import { encodeFloats, encodeSheet } from "./pictures.js";

const options = readOptions(process.argv);
const unet = await loadModel("digits-unet");
const classifier = await loadModel("digits-classifier");

const progress = new SingleBar({ format: "drawing {bar} step {value} of {total}" }, Presets.shades_classic);
progress.start(options.steps, 0);
const samples = await drawDigits(unet, options, () => progress.increment());
progress.stop();

const readings = await readDigits(classifier, samples);
const recognised = readings.filter((reading, i) => reading === options.digits[i]).length;

try {
  if (options.raw !== undefined) writeFileSync(options.raw, encodeFloats(samples));
  writeFileSync(options.out, encodeSheet(samples));
  console.log(options.out);
  console.log(`${recognised} of ${options.digits.length} recognised`);
} catch (error) {
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
}
