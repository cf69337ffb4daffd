// The functions of the noise schedules, over arrays: an engine's own Math.cos and Math.exp may differ in the last bits.

import { exp, sine, vcosine } from "./elementary";

/** Replaces `n` float64 at `values`, all |x| < 100, by their cosines. */
export function cosines(values: usize, n: i32): void {
  const end = (<usize>n) << 3;
  let i: usize = 0;
  if (ASC_FEATURE_SIMD) {
    for (const vectorEnd = end & ~15; i < vectorEnd; i += 16) v128.store(values + i, vcosine(v128.load(values + i)));
  }
  for (; i < end; i += 8) store<f64>(values + i, sine(load<f64>(values + i), 1));
}

/** Replaces `n` float64 at `values`, all |x| < 700, by their exponentials. */
export function exponentials(values: usize, n: i32): void {
  for (let i: usize = 0, end = (<usize>n) << 3; i < end; i += 8) {
    store<f64>(values + i, exp(load<f64>(values + i)));
  }
}
