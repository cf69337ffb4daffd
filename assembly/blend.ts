// Two tensors, blended by the weights of a third.

/**
 * out = known + weight (sample - known), over n elements; exactly `known` where the weight is 0 and exactly `sample`
 * where it is 1, whatever the other is. `out` may be the address of any input.
 */
export function blend(out: usize, sample: usize, known: usize, weight: usize, n: i32): void {
  let i: usize = 0;
  const end = (<usize>n) << 2;
  if (ASC_FEATURE_SIMD) {
    const zero = f32x4.splat(0);
    const one = f32x4.splat(1);
    for (const vectorEnd = end & ~15; i < vectorEnd; i += 16) {
      const s = v128.load(sample + i);
      const k = v128.load(known + i);
      const w = v128.load(weight + i);
      const mixed = f32x4.add(k, f32x4.mul(w, f32x4.sub(s, k)));
      v128.store(out + i, v128.bitselect(s, v128.bitselect(k, mixed, f32x4.eq(w, zero)), f32x4.eq(w, one)));
    }
  }
  for (; i < end; i += 4) {
    const s = load<f32>(sample + i);
    const k = load<f32>(known + i);
    const w = load<f32>(weight + i);
    store<f32>(out + i, w == 1 ? s : w == 0 ? k : k + w * (s - k));
  }
}
