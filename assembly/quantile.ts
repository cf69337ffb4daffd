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

/** Counts `n` values at `values`. */
export function count(values: usize, n: i32): void {
  const end = values + ((<usize>n) << 2);
  if (shift == 20) {
    let most = largest;
    for (let p = values; p < end; p += 4) {
      const bits = load<u32>(p) & 0x7fffffff;
      most = max(most, bits);
      const bin = histogram + ((bits >> 20) << 2);
      store<u32>(bin, load<u32>(bin) + 1);
    }
    largest = most;
    return;
  }
  let least = above;
  for (let p = values; p < end; p += 4) {
    const bits = load<u32>(p) & 0x7fffffff;
    const high = bits >> (shift + 10);
    if (high == prefix) {
      const bin = histogram + (((bits >> shift) & mask) << 2);
      store<u32>(bin, load<u32>(bin) + 1);
    } else if (high > prefix) {
      least = min(least, bits);
    }
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
