// Two tensors, blended: inpainting with the weights of a mask, guidance with one weight for all.

/**
 * out = from + weight (to - from), over n elements; exactly `from` where the weight is 0 and exactly `to` where it is
 * 1, whatever the other is. The weights are at `weights`, or all of them are `weight` where that is 0. `out` may be
 * the address of any input.
 */
export function blend(out: usize, from: usize, to: usize, weights: usize, weight: f32, n: i32): void {
  let i: usize = 0;
  const end = (<usize>n) << 2;
  if (ASC_FEATURE_SIMD) {
    const zero = f32x4.splat(0);
    const one = f32x4.splat(1);
    let w = f32x4.splat(weight);
    for (const vectorEnd = end & ~15; i < vectorEnd; i += 16) {
      const f = v128.load(from + i);
      const t = v128.load(to + i);
      if (weights) w = v128.load(weights + i);
      const mixed = f32x4.add(f, f32x4.mul(w, f32x4.sub(t, f)));
      v128.store(out + i, v128.bitselect(t, v128.bitselect(f, mixed, f32x4.eq(w, zero)), f32x4.eq(w, one)));
    }
  }
  for (; i < end; i += 4) {
    const f = load<f32>(from + i);
    const t = load<f32>(to + i);
    const w = weights ? load<f32>(weights + i) : weight;
    store<f32>(out + i, w == 1 ? t : w == 0 ? f : f + w * (t - f));
  }
}
