// What becomes of the samples: a PNG sheet, or plain bytes.

import { encode } from "fast-png";

const COLUMNS = 10;
const SCALE = 3;
/** Pixels between the digits and around them. */
const MARGIN = 6;
const BACKGROUND = 64;

/**
 * A sheet of samples in rows of ten, enlarged three times. Each batch begins a row.
 *
 * @param {import("ddim-wasm").PlainTensor[]} batches [count, 1, height, width] each, pixels in [-1, 1]
 * @returns {Uint8Array} a greyscale PNG
 */
export function encodeSheet(batches) {
  const [count, , height, width] = batches[0].dims;
  const columns = Math.min(count, COLUMNS);
  const rows = Math.ceil(count / COLUMNS);
  const sheetWidth = MARGIN + columns * (SCALE * width + MARGIN);
  const sheetHeight = MARGIN + batches.length * rows * (SCALE * height + MARGIN);
  const pixels = new Uint8ClampedArray(sheetWidth * sheetHeight).fill(BACKGROUND);

  batches.forEach(({ data }, batch) => {
    for (let i = 0; i < count; i++) {
      const left = MARGIN + (i % COLUMNS) * (SCALE * width + MARGIN);
      const top = MARGIN + (batch * rows + Math.floor(i / COLUMNS)) * (SCALE * height + MARGIN);
      for (let y = 0; y < SCALE * height; y++) {
        for (let x = 0; x < SCALE * width; x++) {
          const value = data[(i * height + Math.floor(y / SCALE)) * width + Math.floor(x / SCALE)];
          pixels[(top + y) * sheetWidth + left + x] = ((value + 1) / 2) * 255;
        }
      }
    }
  });
  return encode({ width: sheetWidth, height: sheetHeight, data: pixels, channels: 1, depth: 8 });
}

/**
 * @param {import("ddim-wasm").PlainTensor} samples
 * @returns {Uint8Array} their values as little-endian float32
 */
export function encodeFloats(samples) {
  const bytes = new DataView(new ArrayBuffer(4 * samples.data.length));
  samples.data.forEach((value, i) => bytes.setFloat32(4 * i, value, true));
  return new Uint8Array(bytes.buffer);
}
