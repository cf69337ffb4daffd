// The standard deviations of the conditional and of the guided model output, whose ratio rescales the guidance
// (arXiv 2305.08891, section 3.4): sums of values and squares in float64, in an order that does not depend on how the
// data is cut into pieces or on vectors: element i goes to accumulator i mod 4, and the four are added in that order at
// the end.
//
// Values are taken less the first one, so that equal values have a deviation of exactly 0.

import { statistics, sums } from "./memory";

const VALUES: usize = 8;
const SQUARES: usize = 40;
const RECORD: usize = 72;

/** Starts the sums of both tensors of a batch element, whose first elements are at `cond` and `guided`. */
export function beginDeviations(cond: usize, guided: usize): void {
  memory.fill(sums, 0, 144);
  store<f64>(sums, <f64>load<f32>(cond));
  store<f64>(sums + RECORD, <f64>load<f32>(guided));
}

/**
 * Adds a piece of `n` elements of both tensors. Only a batch element's last piece may hold a number that is no multiple
 * of 4.
 */
export function addDeviations(cond: usize, guided: usize, n: i32): void {
  addTo(sums, cond, n);
  addTo(sums + RECORD, guided, n);
}

function addTo(record: usize, values: usize, n: i32): void {
  const first = load<f64>(record);
  const end = (<usize>n) << 2;
  let i: usize = 0;
  if (ASC_FEATURE_SIMD) {
    const vfirst = f64x2.splat(first);
    let low = v128.load(record, VALUES);
    let high = v128.load(record, VALUES + 16);
    let lowSquares = v128.load(record, SQUARES);
    let highSquares = v128.load(record, SQUARES + 16);
    for (const vectorEnd = end & ~15; i < vectorEnd; i += 16) {
      const v = v128.load(values + i);
      const l = f64x2.sub(f64x2.promote_low_f32x4(v), vfirst);
      const h = f64x2.sub(f64x2.promote_low_f32x4(i64x2.shuffle(v, v, 1, 1)), vfirst);
      low = f64x2.add(low, l);
      high = f64x2.add(high, h);
      lowSquares = f64x2.add(lowSquares, f64x2.mul(l, l));
      highSquares = f64x2.add(highSquares, f64x2.mul(h, h));
    }
    v128.store(record, low, VALUES);
    v128.store(record, high, VALUES + 16);
    v128.store(record, lowSquares, SQUARES);
    v128.store(record, highSquares, SQUARES + 16);
  }
  for (; i < end; i += 4) {
    const lane = record + ((i & 12) << 1);
    const value = <f64>load<f32>(values + i) - first;
    store<f64>(lane, load<f64>(lane, VALUES) + value, VALUES);
    store<f64>(lane, load<f64>(lane, SQUARES) + value * value, SQUARES);
  }
}

function total(address: usize): f64 {
  return load<f64>(address) + load<f64>(address, 8) + load<f64>(address, 16) + load<f64>(address, 24);
}

function variance(record: usize, n: f64): f64 {
  const sum = total(record + VALUES);
  return total(record + SQUARES) - (sum * sum) / n;
}

/** The conditional deviation over the guided one, over `n` elements; 1 where either is 0. */
export function deviationRatio(n: f64): f64 {
  const cond = variance(sums, n);
  const guided = variance(sums + RECORD, n);
  return cond > 0 && guided > 0 ? sqrt(cond / guided) : cond != cond || guided != guided ? NaN : 1;
}

/** The ratios of `count` batch elements of `length` values each, into `statistics`. */
export function deviationRatios(cond: usize, guided: usize, length: i32, count: i32): void {
  const bytes = (<usize>length) << 2;
  for (let element: i32 = 0; element < count; element++) {
    const offset = <usize>element * bytes;
    beginDeviations(cond + offset, guided + offset);
    addDeviations(cond + offset, guided + offset, length);
    store<f64>(statistics + ((<usize>element) << 3), deviationRatio(<f64>length));
  }
}
