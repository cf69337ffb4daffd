// Halves as people who know their bits treat them in plain JavaScript: converted to floats through a table, put
// through the fused loop, and converted back in integers.

import { HALF_VALUES } from "../half.js";
import { LOOPS } from "./plain-loop.js";

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** To the nearest half, ties to even. */
function toHalf(value) {
  float[0] = value;
  const sign = (bits[0] >>> 16) & 0x8000;
  let magnitude = bits[0] & 0x7fffffff;
  if (magnitude >= 0x47800000) return sign | (magnitude > 0x7f800000 ? 0x7e00 : 0x7c00);
  if (magnitude >= 0x38800000) {
    magnitude += 0xfff + ((magnitude >>> 13) & 1);
    return sign | ((magnitude - 0x38000000) >>> 13);
  }
  bits[0] = magnitude;
  float[0] += 0.5;
  return sign | (bits[0] - 0x3f000000);
}

function decode(floats, halves) {
  for (let i = 0; i < halves.length; i++) floats[i] = HALF_VALUES[halves[i]];
}

function encode(halves, floats) {
  for (let i = 0; i < floats.length; i++) halves[i] = toHalf(floats[i]);
}

function prepare(task) {
  const { operation } = task;
  const loop = LOOPS[operation];
  const result = task.sample.slice().fill(0);
  const second = operation === "addNoise" ? task.noise : task.modelOutput;
  const [out, x, y] = [result, task.sample, second].map((data) => new Float32Array(data.length));
  const run = () => {
    if (operation !== "randn") {
      decode(x, task.sample);
      decode(y, second);
    }
    loop(out, x, y, task);
    encode(result, out);
  };
  return { run, result: () => result };
}

const takesPart = (operation, type) => type === "float16";

export default [{ name: "plain loop, bits", takesPart, prepare }];
