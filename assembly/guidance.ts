// Classifier-free guidance, and the deviations of the conditional and of the guided model output for its rescaling
// (arXiv 2305.08891, section 3.4): sums of values and squares in float64, in an order that does not depend on how the data is cut into
// pieces or on vectors: element i goes to accumulator i mod 4, and the four are added in that order at the end.
//
// Values are taken less the first one, so that equal values have a deviation of exactly 0.

import { sums } from "./memory";

/** The guided output of one element: m is the unconditional one. */
// @ts-ignore: decorator
@inline
export function guide(m: f32, cond: f32, guidance: f32): f32 {
  return m + guidance * (cond - m);
}

// @ts-ignore: decorator
@inline
export function vguide(m: v128, cond: v128, vguidance: v128): v128 {
  return f32x4.add(m, f32x4.mul(vguidance, f32x4.sub(cond, m)));
}

let firstCond: f64 = 0;
let firstGuided: f64 = 0;

// Of four accumulators each: values and squares of the conditional output, values and squares of the guided one.
const SQUARES: usize = 32;
const GUIDED: usize = 64;

/** Starts the sums of a batch element whose first outputs are at `m` and `cond`. */
export function beginDeviations(m: usize, cond: usize, guidance: f32): void {
  const c = load<f32>(cond);
  firstCond = <f64>c;
  firstGuided = <f64>guide(load<f32>(m), c, guidance);
  memory.fill(sums, 0, 128);
}

/** Adds a piece of `n` elements; only a batch element's last piece may hold a number that is no multiple of 4. */
export function addDeviations(m: usize, cond: usize, n: i32, guidance: f32): void {
  let i: usize = 0;
  const end = (<usize>n) << 2;
  if (ASC_FEATURE_SIMD) {
    const vguidance = f32x4.splat(guidance);
    const vfirstCond = f64x2.splat(firstCond);
    const vfirstGuided = f64x2.splat(firstGuided);
    for (const vectorEnd = end & ~15; i < vectorEnd; i += 16) {
      const c = v128.load(cond + i);
      const g = vguide(v128.load(m + i), c, vguidance);
      vaccumulate(sums, c, vfirstCond);
      vaccumulate(sums + GUIDED, g, vfirstGuided);
    }
  }
  for (; i < end; i += 4) {
    const c = load<f32>(cond + i);
    const lane = (i & 12) << 1;
    accumulate(sums + lane, <f64>c - firstCond);
    accumulate(sums + GUIDED + lane, <f64>guide(load<f32>(m + i), c, guidance) - firstGuided);
  }
}

// @ts-ignore: decorator
@inline
function accumulate(address: usize, value: f64): void {
  store<f64>(address, load<f64>(address) + value);
  store<f64>(address + SQUARES, load<f64>(address + SQUARES) + value * value);
}

// @ts-ignore: decorator
@inline
function vaccumulate(address: usize, values: v128, first: v128): void {
  const low = f64x2.sub(f64x2.promote_low_f32x4(values), first);
  const high = f64x2.sub(f64x2.promote_low_f32x4(i64x2.shuffle(values, values, 1, 1)), first);
  v128.store(address, f64x2.add(v128.load(address), low));
  v128.store(address + 16, f64x2.add(v128.load(address + 16), high));
  v128.store(address + SQUARES, f64x2.add(v128.load(address + SQUARES), f64x2.mul(low, low)));
  v128.store(address + SQUARES + 16, f64x2.add(v128.load(address + SQUARES + 16), f64x2.mul(high, high)));
}

function total(address: usize): f64 {
  return load<f64>(address) + load<f64>(address, 8) + load<f64>(address, 16) + load<f64>(address, 24);
}

function variance(address: usize, n: f64): f64 {
  const sum = total(address);
  return total(address + SQUARES) - (sum * sum) / n;
}

/** The conditional output's deviation over the guided one's, over `n` elements; 1 where either is 0. */
export function deviationRatio(n: f64): f64 {
  const cond = variance(sums, n);
  const guided = variance(sums + GUIDED, n);
  return cond > 0 && guided > 0 ? sqrt(cond / guided) : cond != cond || guided != guided ? NaN : 1;
}
