// Looking for values that are not finite.

const INFINITY: u32 = 0x7f800000;

/** The index of the first of `n` floats that is infinite or NaN; -1 where all are finite. */
export function firstNotFinite(values: usize, n: i32): i32 {
  const end = (<usize>n) << 2;
  let i: usize = 0;
  if (ASC_FEATURE_SIMD) {
    const infinity = i32x4.splat(INFINITY);
    for (const vectorEnd = end & ~15; i < vectorEnd; i += 16) {
      if (v128.any_true(i32x4.eq(v128.and(v128.load(values + i), infinity), infinity))) break;
    }
  }
  for (; i < end; i += 4) {
    if ((load<u32>(values + i) & INFINITY) == INFINITY) return <i32>(i >> 2);
  }
  return -1;
}
