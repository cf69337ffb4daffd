// The fused update of a sample: one pass over memory for everything a step does to an element.
//
//     m    = uncond + guidance (cond - uncond)        when `cond` is not 0, else m as it is
//     y    = x + q m                                  m alone, with its factor, when `withSample` is false
//     out  = clamp(u y, -s, s) + b x + c m + d noise  d noise only when `noise` is not 0
//
// clamp(u y, -s, s) is the predicted original sample, clamped, times its share of the result. Where nothing is clamped
// (s = 0) the caller has collapsed the formula into out = b x + c m + d noise.
// A term of the clamped formula whose coefficient is 0 is left out, not multiplied: 0 * Infinity would be NaN.
//
// The vector loops and the scalar loop perform the same operations in the same order: their results are equal
// bit for bit. `out` may be the address of any input. `n` counts elements.

import { guide, vguide } from "./guidance";

/** What the predicted original sample is a multiple of. */
// @ts-ignore: decorator
@inline
function predict(withSample: bool, x: f32, m: f32, q: f32): f32 {
  const y = q * m;
  return withSample ? y + x : y;
}

// @ts-ignore: decorator
@inline
function vpredict(withSample: bool, x: v128, m: v128, vq: v128): v128 {
  let y = f32x4.mul(vq, m);
  if (withSample) y = f32x4.add(y, x);
  return y;
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
  withSample: bool,
  q: f32,
  u: f32,
  s: f32,
  b: f32,
  c: f32,
  d: f32,
): void {
  const vguidance = f32x4.splat(guidance);
  const vq = f32x4.splat(q);
  const vu = f32x4.splat(u);
  const vs = f32x4.splat(s);
  const vminusS = f32x4.splat(-s);
  const vb = f32x4.splat(b);
  const vc = f32x4.splat(c);
  const vd = f32x4.splat(d);
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
      y0 = vclamp(f32x4.mul(vu, vpredict(withSample, x0, m0, vq)), vs, vminusS);
      y1 = vclamp(f32x4.mul(vu, vpredict(withSample, x1, m1, vq)), vs, vminusS);
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
  withSample: bool,
  q: f32,
  u: f32,
  s: f32,
  b: f32,
  c: f32,
  d: f32,
): void {
  if (noise) vectors(clamped, guided, true, out, x, m, cond, noise, bytes, guidance, withSample, q, u, s, b, c, d);
  else vectors(clamped, guided, false, out, x, m, cond, noise, bytes, guidance, withSample, q, u, s, b, c, d);
}

/** out = clamp(u (x + q m), -s, s) + b x + c m + d noise, over n elements. */
export function update(
  out: usize,
  x: usize,
  m: usize,
  cond: usize,
  noise: usize,
  n: i32,
  guidance: f32,
  withSample: bool,
  q: f32,
  u: f32,
  s: f32,
  b: f32,
  c: f32,
  d: f32,
): void {
  const end = (<usize>n) << 2;
  let i: usize = 0;
  if (ASC_FEATURE_SIMD) {
    i = end & ~31;
    if (s != 0) {
      if (cond) vectorsByNoise(true, true, out, x, m, cond, noise, i, guidance, withSample, q, u, s, b, c, d);
      else vectorsByNoise(true, false, out, x, m, cond, noise, i, guidance, withSample, q, u, s, b, c, d);
    } else {
      if (cond) vectorsByNoise(false, true, out, x, m, cond, noise, i, guidance, withSample, q, u, s, b, c, d);
      else vectorsByNoise(false, false, out, x, m, cond, noise, i, guidance, withSample, q, u, s, b, c, d);
    }
  }
  for (; i < end; i += 4) {
    const xi = load<f32>(x + i);
    let mi = load<f32>(m + i);
    if (cond) mi = guide(mi, load<f32>(cond + i), guidance);
    let y: f32;
    if (s != 0) {
      y = clamp(u * predict(withSample, xi, mi, q), s);
      if (b != 0) y = y + b * xi;
      if (c != 0) y = y + c * mi;
    } else {
      y = b * xi + c * mi;
    }
    if (noise) y = y + d * load<f32>(noise + i);
    store<f32>(out + i, y);
  }
}

/** The predicted original sample alone: out = clamp(w (x + q m), -r, r), not clamped where r is 0. */
export function original(
  out: usize,
  x: usize,
  m: usize,
  cond: usize,
  n: i32,
  guidance: f32,
  withSample: bool,
  q: f32,
  w: f32,
  r: f32,
): void {
  const end = (<usize>n) << 2;
  let i: usize = 0;
  if (ASC_FEATURE_SIMD) {
    const vguidance = f32x4.splat(guidance);
    const vq = f32x4.splat(q);
    const vw = f32x4.splat(w);
    const vr = f32x4.splat(r);
    const vminusR = f32x4.splat(-r);
    for (const vectorEnd = end & ~15; i < vectorEnd; i += 16) {
      let vm = v128.load(m + i);
      if (cond) vm = vguide(vm, v128.load(cond + i), vguidance);
      let y = f32x4.mul(vw, vpredict(withSample, v128.load(x + i), vm, vq));
      if (r != 0) y = vclamp(y, vr, vminusR);
      v128.store(out + i, y);
    }
  }
  for (; i < end; i += 4) {
    let mi = load<f32>(m + i);
    if (cond) mi = guide(mi, load<f32>(cond + i), guidance);
    let y = w * predict(withSample, load<f32>(x + i), mi, q);
    if (r != 0) y = clamp(y, r);
    store<f32>(out + i, y);
  }
}
