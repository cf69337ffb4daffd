// Pictures into PNG files. This file is the same in every runtime.

import { encode } from "fast-png";

/**
 * A PNG with texts in it. They are in Latin-1: other characters become the escapes of JSON.
 *
 * @param {import("./stable-diffusion.js").Picture} picture RGBA
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
