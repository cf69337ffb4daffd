// Quantiles of magnitudes by radix selection: the k-th smallest of |x| without sorting, in a few passes over the
// data, of any length, handed over in pieces.
//
//     beginSelection(length, rank)
//     do  count(piece) for every piece  while (narrow())
//     quantile(weight)     between order statistics `rank` and `rank + 1`
//
// The bits of a non-negative float order as its value does. Each pass looks at one digit of those values that share the
// higher digits found so far: 11 bits of the 31, or 8 where there are so few values that clearing and searching 2,048
// counters would take longer than counting. A handful of values is sorted.

import { histogram, statistics } from "./memory";

const INFINITY_BITS: u32 = 0x7f800000;
const MAGNITUDE: u32 = 0x7fffffff;

/** Up to how many values insertion sort is faster than four passes. */
const FEW: i32 = 64;

/** Up to how many values digits of 8 bits are faster. */
const SEVERAL: i32 = 4096;

/** The counter of values that do not share the digits found so far. */
const ELSEWHERE: u32 = 2048;

let rank: u32 = 0; // of the value sought, among those that share `prefix`
let prefix: u32 = 0; // the bits found so far
let width: u32 = 0; // bits of a digit
let rest: u32 = 0; // bits that have not been found
let shift: u32 = 0; // position of the lowest bit this pass looks at
let largest: u32 = 0; // the largest magnitude's bits: above INFINITY_BITS when there was a NaN
let above: u32 = 0; // the smallest magnitude's bits among those beyond `prefix`
let next: u32 = 0; // bits of order statistic rank + 1

/** Starts the search for the order statistics `index` and `index + 1` of `length` values, counted from 0. */
export function beginSelection(length: i32, index: u32): void {
  rank = index;
  prefix = 0;
  width = length > SEVERAL ? 11 : 8;
  rest = 31;
  largest = 0;
  beginPass();
}

function beginPass(): void {
  shift = max(<i32>(rest - width), 0);
  above = 0xffffffff;
  memory.fill(histogram, 0, (<usize>4) << width);
}

/** Adds one to a counter of the histogram. */
// @ts-ignore: decorator
@inline
function tally(index: u32): void {
  const bin = histogram + ((<usize>index) << 2);
  store<u32>(bin, load<u32>(bin) + 1);
}

/** Counts `n` values at `values`. */
export function count(values: usize, n: i32): void {
  if (rest == 31) countFirst(values, (<usize>n) << 2);
  else countFurther(values, (<usize>n) << 2);
}

function countFirst(values: usize, bytes: usize): void {
  const lowest = shift;
  let most = largest;
  for (let i: usize = 0; i < bytes; i += 4) {
    const bits = load<u32>(values + i) & MAGNITUDE;
    most = max(most, bits);
    tally(bits >> lowest);
  }
  largest = most;
}

/**
 * Counts a value if it shares the digits found so far, and returns the smallest of those beyond: `least` or the value.
 * Without branches, which would be mispredicted where half of the values do.
 */
// @ts-ignore: decorator
@inline
function countOne(bits: u32, found: u32, unknown: u32, lowest: u32, mask: u32, least: u32): u32 {
  const high = bits >> unknown;
  tally(select<u32>((bits >> lowest) & mask, ELSEWHERE, high == found));
  return select<u32>(min(least, bits), least, high > found);
}

function countFurther(values: usize, bytes: usize): void {
  // Locals, which engines keep in registers.
  const found = prefix;
  const unknown = rest;
  const lowest = shift;
  const mask: u32 = (1 << (unknown - lowest)) - 1;
  let least = above;
  let i: usize = 0;
  if (ASC_FEATURE_SIMD) {
    const vfound = i32x4.splat(found);
    const magnitude = i32x4.splat(MAGNITUDE);
    let leasts = i32x4.splat(-1);
    for (const end = bytes & ~15; i < end; i += 16) {
      const four = v128.and(v128.load(values + i), magnitude);
      const high = i32x4.shr_u(four, unknown);
      if (v128.any_true(i32x4.eq(high, vfound))) {
        for (let j = i; j < i + 16; j += 4) {
          least = countOne(load<u32>(values + j) & MAGNITUDE, found, unknown, lowest, mask, least);
        }
      } else {
        // Few values share the digits found: four that do not are passed over at once.
        leasts = i32x4.min_u(leasts, v128.or(four, i32x4.lt_s(high, vfound)));
      }
    }
    leasts = i32x4.min_u(leasts, i64x2.shuffle(leasts, leasts, 1, 0));
    least = min(least, min(<u32>i32x4.extract_lane(leasts, 0), <u32>i32x4.extract_lane(leasts, 1)));
  }
  for (; i < bytes; i += 4) {
    least = countOne(load<u32>(values + i) & MAGNITUDE, found, unknown, lowest, mask, least);
  }
  above = least;
}

/** Ends a pass: finds the counter that holds the rank. Returns whether there is another pass. */
export function narrow(): bool {
  let bin: u32 = 0;
  let held = load<u32>(histogram);
  while (rank >= held) {
    rank -= held;
    held = load<u32>(histogram + (++bin << 2));
  }
  prefix = (prefix << (rest - shift)) | bin;
  rest = shift;
  if (rest > 0) {
    beginPass();
    return true;
  }
  // The value after it: the same, the next one counted in this pass, or the least of those beyond.
  next = prefix;
  if (rank + 1 >= held) {
    next = above;
    const bins: u32 = 1 << width;
    const higher = prefix - bin;
    while (++bin < bins) {
      if (load<u32>(histogram + (bin << 2))) {
        next = higher | bin;
        break;
      }
    }
  }
  return false;
}

/** Between the order statistic sought and the one after it; NaN where any value was NaN. */
export function quantile(weight: f64): f64 {
  if (largest > INFINITY_BITS) return NaN;
  return between(prefix, next, weight);
}

function between(low: u32, high: u32, weight: f64): f64 {
  const value = <f64>reinterpret<f32>(low);
  // Without the second value where it has no share: there may be none, and infinity has no difference.
  if (weight == 0 || low == high) return value;
  return value + (<f64>reinterpret<f32>(high) - value) * weight;
}

/** The quantiles of `count` batch elements of `length` values each, into `statistics`. May sort the values. */
export function quantiles(values: usize, length: i32, count: i32, index: u32, weight: f64): void {
  const bytes = (<usize>length) << 2;
  for (let element: i32 = 0; element < count; element++) {
    const result = length > FEW ? selectOne(values, length, index, weight) : sortOne(values, bytes, index, weight);
    store<f64>(statistics + ((<usize>element) << 3), result);
    values += bytes;
  }
}

function selectOne(values: usize, length: i32, index: u32, weight: f64): f64 {
  beginSelection(length, index);
  do count(values, length);
  while (narrow());
  return quantile(weight);
}

/** Insertion sort of the magnitudes' bits. */
function sortOne(values: usize, bytes: usize, index: u32, weight: f64): f64 {
  for (let i: usize = 0; i < bytes; i += 4) {
    const bits = load<u32>(values + i) & MAGNITUDE;
    let j = i;
    for (; j > 0 && load<u32>(values + j - 4) > bits; j -= 4) store<u32>(values + j, load<u32>(values + j - 4));
    store<u32>(values + j, bits);
  }
  if (load<u32>(values + bytes - 4) > INFINITY_BITS) return NaN;
  const low = values + ((<usize>index) << 2);
  return between(load<u32>(low), load<u32>(low, 4), weight);
}
