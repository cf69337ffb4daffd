// Pictures from files.

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
