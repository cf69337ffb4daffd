// Order statistics of magnitudes by radix selection: the k-th smallest of |x| without sorting, in three passes
// over the data, of any length, handed over in pieces.
//
//     beginSelection(rank)
//     for pass 0, 1, 2:  count(piece) for every piece;  narrow()
//     selected(), selectedNext()     order statistics `rank` and `rank + 1`
//
// The bits of a non-negative float order as its value does. Pass 0 looks at bits 30..20 (2,048 bins), pass 1 at
// bits 19..10 and pass 2 at bits 9..0 (1,024 bins) of those values that share the bits found so far.

import { histogram } from "./memory";

const INFINITY_BITS: u32 = 0x7f800000;

let rank: u32 = 0; // of the value sought, among those that share `prefix`
let prefix: u32 = 0; // the bits found so far
let shift: u32 = 0; // position of the lowest bit this pass looks at
let mask: u32 = 0; // the bits this pass looks at, shifted down
let largest: u32 = 0; // the largest magnitude's bits: above INFINITY_BITS when there was a NaN
let above: u32 = 0; // the smallest magnitude's bits among those beyond `prefix`, pass 2 only
let next: u32 = 0; // bits of order statistic rank + 1

/** Starts the search for the order statistics `index` and `index + 1`, counted from 0. */
export function beginSelection(index: u32): void {
  rank = index;
  prefix = 0;
  shift = 20;
  mask = 0x7ff;
  largest = 0;
  above = 0xffffffff;
  memory.fill(histogram, 0, 2048 * 4);
}

/** Adds one to bin `index` of the histogram. */
// @ts-ignore: decorator
@inline
function tally(index: u32): void {
  const bin = histogram + ((<usize>index) << 2);
  store<u32>(bin, load<u32>(bin) + 1);
}

/** Counts `n` values at `values`. */
export function count(values: usize, n: i32): void {
  const end = values + ((<usize>n) << 2);
  if (shift == 20) countFirst(values, end);
  else countFurther(values, end);
}

function countFirst(values: usize, end: usize): void {
  let most = largest;
  for (; values < end; values += 4) {
    const bits = load<u32>(values) & 0x7fffffff;
    most = max(most, bits);
    tally(bits >> 20);
  }
  largest = most;
}

function countFurther(values: usize, end: usize): void {
  let least = above;
  while (true) {
    // Few values share the prefix: four that do not are passed over at once.
    if (ASC_FEATURE_SIMD) {
      const vprefix = i32x4.splat(prefix);
      let leasts = i32x4.splat(least);
      for (; values + 16 <= end; values += 16) {
        const bits = v128.and(v128.load(values), i32x4.splat(0x7fffffff));
        const high = i32x4.shr_u(bits, shift + 10);
        if (v128.any_true(i32x4.eq(high, vprefix))) break;
        leasts = i32x4.min_u(leasts, v128.or(bits, i32x4.lt_s(high, vprefix)));
      }
      leasts = i32x4.min_u(leasts, i64x2.shuffle(leasts, leasts, 1, 0));
      least = min(<u32>i32x4.extract_lane(leasts, 0), <u32>i32x4.extract_lane(leasts, 1));
    }
    if (values == end) break;
    const bits = load<u32>(values) & 0x7fffffff;
    const high = bits >> (shift + 10);
    if (high == prefix) tally((bits >> shift) & mask);
    else if (high > prefix) least = min(least, bits);
    values += 4;
  }
  above = least;
}

/** Ends a pass: finds the bin that holds the rank and prepares the next pass. */
export function narrow(): void {
  let bin: u32 = 0;
  let held = load<u32>(histogram);
  while (rank >= held) {
    rank -= held;
    held = load<u32>(histogram + (++bin << 2));
  }
  prefix = (prefix << (shift == 20 ? 11 : 10)) | bin;
  if (shift == 0) {
    next = prefix;
    if (rank + 1 >= held) {
      next = above;
      while (++bin < 1024) {
        if (load<u32>(histogram + (bin << 2))) {
          next = (prefix & ~1023) | bin;
          break;
        }
      }
    }
    return;
  }
  shift -= 10;
  mask = 1023;
  above = 0xffffffff;
  memory.fill(histogram, 0, 2048 * 4);
}

/** The order statistic sought; NaN when any value was NaN. */
export function selected(): f32 {
  return largest > INFINITY_BITS ? NaN : reinterpret<f32>(prefix);
}

/** The order statistic after it. Meaningless when the one sought is the last. */
export function selectedNext(): f32 {
  return reinterpret<f32>(next);
}
