// Pictures from files and into files.

import { encode } from "fast-png";
import sharp from "sharp";

/**
 * @typedef {import("./stable-diffusion.js").Picture} Picture
 */

/**
 * A picture in any format, cut and scaled to a size.
 *
 * @param {string} file
 * @param {{ width: number, height: number }} size
 * @returns {Promise<Picture>} RGB
 */
export function readPicture(file, size) {
  return read(file, size, (image) => image.flatten({ background: "white" }).toColourspace("srgb"));
}

/** The same for a mask, where what is transparent counts as black. */
export function readMask(file, size) {
  return read(file, size, (image) => image.flatten({ background: "black" }).toColourspace("b-w"));
}

async function read(file, { width, height }, convert) {
  const image = convert(sharp(file).autoOrient()).resize(width, height, { fit: "cover" });
  const { data } = await image.raw({ depth: "uchar" }).toBuffer({ resolveWithObject: true });
  return { data, width, height };
}

/**
 * A PNG with texts in it. They are in Latin-1: other characters become the escapes of JSON.
 *
 * @param {Picture} picture RGBA
 * @param {string} prompt
 * @param {object} settings
 * @returns {Uint8Array}
 */
export function encodePicture({ data, width, height }, prompt, settings) {
  const rgb = Uint8Array.from({ length: 3 * width * height }, (_, i) => data[4 * Math.floor(i / 3) + (i % 3)]);
  const text = { Software: "ddim-wasm", Description: toLatin1(prompt), Comment: toLatin1(JSON.stringify(settings)) };
  return encode({ data: rgb, width, height, channels: 3, text });
}

function toLatin1(text) {
  return text.replace(/[^\n -~\u00a0-\u00ff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
