// Reading the golden cases.

import { readFileSync } from "node:fs";

/** The parsed content of tests/golden/`name`.json. */
export function readGolden(name: string): any {
  return JSON.parse(readFileSync(new URL(`../../tests/golden/${name}.json`, import.meta.url), "utf8"));
}

function bytes(base64: string): ArrayBuffer {
  return Uint8Array.from(Buffer.from(base64, "base64")).buffer;
}

export const float32 = (base64: string): Float32Array<ArrayBuffer> => new Float32Array(bytes(base64));
export const float64 = (base64: string): Float64Array<ArrayBuffer> => new Float64Array(bytes(base64));
export const halves = (base64: string): Uint16Array<ArrayBuffer> => new Uint16Array(bytes(base64));

/** The largest absolute difference over max(1, largest |truth|); Infinity when there is a NaN or a length differs. */
export function relativeError(actual: ArrayLike<number>, truth: ArrayLike<number>): number {
  if (actual.length !== truth.length) return Infinity;
  let difference = 0;
  let largest = 1;
  for (let i = 0; i < truth.length; i++) {
    difference = Math.max(difference, Math.abs(actual[i]! - truth[i]!));
    largest = Math.max(largest, Math.abs(truth[i]!));
  }
  return Number.isNaN(difference) ? Infinity : difference / largest;
}
