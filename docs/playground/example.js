// A picture that was drawn before, with its steps, for those who have just come.

import strip from "./example.png";
import { DEFAULTS, SIZES, writeSettings } from "./settings.js";

/** @returns {Promise<import("./drawing.js").Result>} */
export async function loadExample() {
  const image = Object.assign(new Image(), { src: strip });
  await image.decode();
  const canvas = Object.assign(document.createElement("canvas"), { width: image.width, height: image.height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0);
  const size = SIZES.words;
  const pictures = Array.from({ length: image.width / size }, (_, i) => context.getImageData(i * size, 0, size, size));
  return {
    link: writeSettings(DEFAULTS.words),
    picture: pictures.at(-1),
    frames: pictures.slice(0, -1),
    seconds: null,
  };
}
