// The fused update of a sample: one pass over memory for everything a step does to an element.
//
//     m    = uncond + guidance (cond - uncond)        when `cond` is not 0, else m as it is
//     x0   = clamp(w (k x + q m), -r, r)              when r is not 0
//     out  = a x0 + b x + c m + d noise               d noise only when `noise` is not 0
//
// Where nothing is clamped (r = 0) the caller has collapsed the formula into out = b x + c m + d noise.
// A term of the clamped formula whose coefficient is 0 is left out, not multiplied: 0 * Infinity would be NaN.
//
// The vector loops and the scalar loop perform the same operations in the same order: their results are equal
// bit for bit. `out` may be the address of any input. `n` counts elements.

import { guide, vguide } from "./guidance";

/** The original sample as the model predicts it, not yet clamped. */
// @ts-ignore: decorator
@inline
function predict(x: f32, m: f32, k: f32, q: f32, w: f32): f32 {
  let y = q * m;
  if (k != 0) y = y + k * x;
  return w * y;
}

// @ts-ignore: decorator
@inline
function vpredict(x: v128, m: v128, k: f32, vk: v128, vq: v128, vw: v128): v128 {
  let y = f32x4.mul(vq, m);
  if (k != 0) y = f32x4.add(y, f32x4.mul(vk, x));
  return f32x4.mul(vw, y);
}

/** A NaN stays NaN. */
// @ts-ignore: decorator
@inline
function clamp(x: f32, r: f32): f32 {
  x = r < x ? r : x;
  return x < -r ? -r : x;
}

// @ts-ignore: decorator
@inline
function vclamp(x: v128, vr: v128, vminusR: v128): v128 {
  return f32x4.pmax(f32x4.pmin(x, vr), vminusR);
}

/** The vector loop, compiled once for each combination of its first three arguments. */
// @ts-ignore: decorator
@inline
function vectors(
  clamped: bool,
  guided: bool,
  noisy: bool,
  out: usize,
  x: usize,
  m: usize,
  cond: usize,
  noise: usize,
  bytes: usize,
  guidance: f32,
  k: f32,
  q: f32,
  w: f32,
  r: f32,
  a: f32,
  b: f32,
  c: f32,
  d: f32,
): void {
  const vguidance = f32x4.splat(guidance);
  const vk = f32x4.splat(k),
    vq = f32x4.splat(q),
    vw = f32x4.splat(w);
  const vr = f32x4.splat(r),
    vminusR = f32x4.splat(-r);
  const va = f32x4.splat(a),
    vb = f32x4.splat(b),
    vc = f32x4.splat(c),
    vd = f32x4.splat(d);
  for (let i: usize = 0; i < bytes; i += 32) {
    const x0 = v128.load(x + i);
    const x1 = v128.load(x + i, 16);
    let m0 = v128.load(m + i);
    let m1 = v128.load(m + i, 16);
    if (guided) {
      m0 = vguide(m0, v128.load(cond + i), vguidance);
      m1 = vguide(m1, v128.load(cond + i, 16), vguidance);
    }
    let y0: v128, y1: v128;
    if (clamped) {
      y0 = f32x4.mul(va, vclamp(vpredict(x0, m0, k, vk, vq, vw), vr, vminusR));
      y1 = f32x4.mul(va, vclamp(vpredict(x1, m1, k, vk, vq, vw), vr, vminusR));
      if (b != 0) {
        y0 = f32x4.add(y0, f32x4.mul(vb, x0));
        y1 = f32x4.add(y1, f32x4.mul(vb, x1));
      }
      if (c != 0) {
        y0 = f32x4.add(y0, f32x4.mul(vc, m0));
        y1 = f32x4.add(y1, f32x4.mul(vc, m1));
      }
    } else {
      y0 = f32x4.add(f32x4.mul(vb, x0), f32x4.mul(vc, m0));
      y1 = f32x4.add(f32x4.mul(vb, x1), f32x4.mul(vc, m1));
    }
    if (noisy) {
      y0 = f32x4.add(y0, f32x4.mul(vd, v128.load(noise + i)));
      y1 = f32x4.add(y1, f32x4.mul(vd, v128.load(noise + i, 16)));
    }
    v128.store(out + i, y0);
    v128.store(out + i, y1, 16);
  }
}

// @ts-ignore: decorator
@inline
function vectorsByNoise(
  clamped: bool,
  guided: bool,
  out: usize,
  x: usize,
  m: usize,
  cond: usize,
  noise: usize,
  bytes: usize,
  guidance: f32,
  k: f32,
  q: f32,
  w: f32,
  r: f32,
  a: f32,
  b: f32,
  c: f32,
  d: f32,
): void {
  if (noise) vectors(clamped, guided, true, out, x, m, cond, noise, bytes, guidance, k, q, w, r, a, b, c, d);
  else vectors(clamped, guided, false, out, x, m, cond, noise, bytes, guidance, k, q, w, r, a, b, c, d);
}

/** out = clamp(w (k x + q m), -r, r) a + b x + c m + d noise, over n elements. */
export function update(
  out: usize,
  x: usize,
  m: usize,
  cond: usize,
  noise: usize,
  n: i32,
  guidance: f32,
  k: f32,
  q: f32,
  w: f32,
  r: f32,
  a: f32,
  b: f32,
  c: f32,
  d: f32,
): void {
  const end = (<usize>n) << 2;
  let i: usize = 0;
  if (ASC_FEATURE_SIMD) {
    i = end & ~31;
    if (r != 0) {
      if (cond) vectorsByNoise(true, true, out, x, m, cond, noise, i, guidance, k, q, w, r, a, b, c, d);
      else vectorsByNoise(true, false, out, x, m, cond, noise, i, guidance, k, q, w, r, a, b, c, d);
    } else {
      if (cond) vectorsByNoise(false, true, out, x, m, cond, noise, i, guidance, k, q, w, r, a, b, c, d);
      else vectorsByNoise(false, false, out, x, m, cond, noise, i, guidance, k, q, w, r, a, b, c, d);
    }
  }
  for (; i < end; i += 4) {
    const xi = load<f32>(x + i);
    let mi = load<f32>(m + i);
    if (cond) mi = guide(mi, load<f32>(cond + i), guidance);
    let y: f32;
    if (r != 0) {
      y = a * clamp(predict(xi, mi, k, q, w), r);
      if (b != 0) y = y + b * xi;
      if (c != 0) y = y + c * mi;
    } else {
      y = b * xi + c * mi;
    }
    if (noise) y = y + d * load<f32>(noise + i);
    store<f32>(out + i, y);
  }
}

/** The predicted original sample alone: out = clamp(w (k x + q m), -r, r), not clamped where r is 0. */
export function original(
  out: usize,
  x: usize,
  m: usize,
  cond: usize,
  n: i32,
  guidance: f32,
  k: f32,
  q: f32,
  w: f32,
  r: f32,
): void {
  const end = (<usize>n) << 2;
  let i: usize = 0;
  if (ASC_FEATURE_SIMD) {
    const vguidance = f32x4.splat(guidance);
    const vk = f32x4.splat(k),
      vq = f32x4.splat(q),
      vw = f32x4.splat(w);
    const vr = f32x4.splat(r),
      vminusR = f32x4.splat(-r);
    for (const vectorEnd = end & ~15; i < vectorEnd; i += 16) {
      let vm = v128.load(m + i);
      if (cond) vm = vguide(vm, v128.load(cond + i), vguidance);
      let y = vpredict(v128.load(x + i), vm, k, vk, vq, vw);
      if (r != 0) y = vclamp(y, vr, vminusR);
      v128.store(out + i, y);
    }
  }
  for (; i < end; i += 4) {
    let mi = load<f32>(m + i);
    if (cond) mi = guide(mi, load<f32>(cond + i), guidance);
    let y = predict(load<f32>(x + i), mi, k, q, w);
    if (r != 0) y = clamp(y, r);
    store<f32>(out + i, y);
  }
}
