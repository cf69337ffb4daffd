// Draws the picture that the playground shows before anything is drawn: docs/playground/example.png, what the model takes
// the picture to be at each step, side by side, and the picture itself at the end.

import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { encode } from "fast-png";
import { DEFAULTS } from "../playground/settings.js";
import { drawWords } from "../test/words.js";

const { picture, frames } = await drawWords(DEFAULTS.words);
const pictures = [...frames, picture];
const { width, height } = picture;
const data = new Uint8Array(3 * width * height * pictures.length);
pictures.forEach((each, i) => {
  for (let pixel = 0; pixel < width * height; pixel++) {
    const at = Math.floor(pixel / width) * width * pictures.length + i * width + (pixel % width);
    data.set(each.data.subarray(4 * pixel, 4 * pixel + 3), 3 * at);
  }
});
const file = fileURLToPath(new URL("../playground/example.png", import.meta.url));
writeFileSync(file, encode({ data, width: width * pictures.length, height, channels: 3 }));
console.log(file);
