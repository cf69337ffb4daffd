// Encodes all 2^32 float32 bit patterns as halves, with both builds of the module, and compares each result with an
// oracle that knows nothing of bits: rounding to nearest even is monotonic, so that the floats which become a given
// half are those between the midpoints to its neighbours, which float64 holds exactly.
//
//     npm run test:exhaustive

import { readFileSync } from "node:fs";

const PATTERNS = 2 ** 31; // of either sign
const INFINITY = 0x7c00;
const INFINITY_PATTERN = 0x7f800000;
const NAN = 0x7e00;

/** The value of a half without sign; that of infinity as if exponents went on. */
function valueOf(half) {
  const exponent = half >> 10;
  const mantissa = half & 0x3ff;
  return exponent === 0 ? mantissa * 2 ** -24 : (1 + mantissa / 1024) * 2 ** (exponent - 15);
}

const float = new Float32Array(1);
const pattern = new Uint32Array(float.buffer);

/** The pattern of the first float that becomes the half after `half`: their midpoint, or the one after it on a tie. */
function endOf(half) {
  float[0] = (valueOf(half) + valueOf(half + 1)) / 2;
  return half % 2 === 0 ? pattern[0] + 1 : pattern[0];
}

function check(name) {
  const bytes = readFileSync(new URL(`../build/${name}`, import.meta.url));
  const core = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports;
  const length = 2 ** 14; // fits into a staging buffer, and divides the patterns
  const floats = new Uint32Array(core.memory.buffer, core.stage(0), length);
  const halves = new Uint16Array(core.memory.buffer, core.stage(1), length);
  let wrong = 0;
  for (const sign of [0, 0x8000]) {
    let half = 0;
    let end = endOf(0);
    for (let start = 0; start < PATTERNS; start += length) {
      const first = start + sign * 0x10000;
      for (let i = 0; i < length; i++) floats[i] = first + i;
      core.encode(core.stage(1), core.stage(0), length);
      for (let i = 0; i < length; i++) {
        while (start + i >= end) {
          half++;
          end = half === INFINITY ? INFINITY_PATTERN + 1 : half > INFINITY ? Infinity : endOf(half);
        }
        if (halves[i] !== (half > INFINITY ? NAN : half + sign)) wrong++;
      }
    }
  }
  console.log(`${name}: ${2 * PATTERNS} patterns, ${wrong} wrong`);
  return wrong;
}

process.exitCode = check("core.wasm") + check("core.scalar.wasm") > 0 ? 1 : 0;
