// The update of a sample: everything a step does to an element.
//
//     m    = uncond + guidance (cond - uncond)    where `cond` is not 0, else m as it is
//     x0   = clamp(w (k x + l m), -r, r)          stored where `original` is not 0
//     out  = clamp(u (p x + q m), -s, s) + b x + c m + d z
//            without the first term where s is 0, and without the last where `noise` or d is 0
//
// x0 is the predicted original sample. The factors that magnify, w and u, come after the sum: what cancels there has
// cancelled before. A term whose coefficient is 0 is left out, not multiplied: 0 * Infinity would be NaN. (b x + c m
// alone is computed as it stands.)
//
// A call works on `count` stretches of `length` elements, side by side, each with its own record of coefficients.
// The vector loops and the scalar loops perform the same operations in the same order: their results are equal bit for
// bit. `out` may be the address of any input but the noise, and `original` of none.

import { coefficients, RECORD_BYTES } from "./memory";

// A record: eleven float32, in bytes from its beginning. The host writes them in this order.
const K: usize = 0;
const L: usize = 4;
const W: usize = 8;
const R: usize = 12;
const P: usize = 16;
const Q: usize = 20;
const U: usize = 24;
const S: usize = 28;
const B: usize = 32;
const C: usize = 36;
const D: usize = 40;

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

// @ts-ignore: decorator
@inline
function vguide(m: v128, cond: v128, vguidance: v128): v128 {
  return f32x4.add(m, f32x4.mul(vguidance, f32x4.sub(cond, m)));
}

/** p x + q m, without x where p is 0. */
// @ts-ignore: decorator
@inline
function vpredict(share: i32, x: v128, m: v128, vp: v128, vq: v128): v128 {
  let y = f32x4.mul(vq, m);
  if (share) y = f32x4.add(y, share == 1 ? x : f32x4.mul(vp, x));
  return y;
}

/**
 * The vector loop, for the bytes [i, end), a multiple of 32. Compiled once for each combination of its first two
 * arguments: each loop then has few enough constants for the registers.
 */
// @ts-ignore: decorator
@inline
function vectors(
  clamped: bool,
  guided: bool,
  out: usize,
  x: usize,
  m: usize,
  cond: usize,
  i: usize,
  end: usize,
  guidance: f32,
  p: f32,
  q: f32,
  u: f32,
  s: f32,
  b: f32,
  c: f32,
): void {
  const vguidance = f32x4.splat(guidance);
  const vp = f32x4.splat(p);
  const vq = f32x4.splat(q);
  const vu = f32x4.splat(u);
  const vs = f32x4.splat(s);
  const vminusS = f32x4.splat(-s);
  const vb = f32x4.splat(b);
  const vc = f32x4.splat(c);
  // Integers and booleans, which are compared faster than floats.
  const share = p == 0 ? 0 : p == 1 ? 1 : 2;
  const withX = b != 0;
  const withM = c != 0;
  for (; i < end; i += 32) {
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
      y0 = vclamp(f32x4.mul(vu, vpredict(share, x0, m0, vp, vq)), vs, vminusS);
      y1 = vclamp(f32x4.mul(vu, vpredict(share, x1, m1, vp, vq)), vs, vminusS);
      if (withX) {
        y0 = f32x4.add(y0, f32x4.mul(vb, x0));
        y1 = f32x4.add(y1, f32x4.mul(vb, x1));
      }
      if (withM) {
        y0 = f32x4.add(y0, f32x4.mul(vc, m0));
        y1 = f32x4.add(y1, f32x4.mul(vc, m1));
      }
    } else {
      y0 = f32x4.add(f32x4.mul(vb, x0), f32x4.mul(vc, m0));
      y1 = f32x4.add(f32x4.mul(vb, x1), f32x4.mul(vc, m1));
    }
    v128.store(out + i, y0);
    v128.store(out + i, y1, 16);
  }
}

/** out = clamp(u y, -s, s) + b x + c m for the bytes [i, end). */
function combine(
  out: usize,
  x: usize,
  m: usize,
  cond: usize,
  i: usize,
  end: usize,
  guidance: f32,
  p: f32,
  q: f32,
  u: f32,
  s: f32,
  b: f32,
  c: f32,
): void {
  if (ASC_FEATURE_SIMD) {
    const vectorEnd = i + ((end - i) & ~31);
    if (s != 0) {
      if (cond) vectors(true, true, out, x, m, cond, i, vectorEnd, guidance, p, q, u, s, b, c);
      else vectors(true, false, out, x, m, cond, i, vectorEnd, guidance, p, q, u, s, b, c);
    } else {
      if (cond) vectors(false, true, out, x, m, cond, i, vectorEnd, guidance, p, q, u, s, b, c);
      else vectors(false, false, out, x, m, cond, i, vectorEnd, guidance, p, q, u, s, b, c);
    }
    i = vectorEnd;
  }
  for (; i < end; i += 4) {
    const xi = load<f32>(x + i);
    let mi = load<f32>(m + i);
    if (cond) mi = mi + guidance * (load<f32>(cond + i) - mi);
    let result: f32;
    if (s != 0) {
      let y = q * mi;
      if (p != 0) y = y + p * xi;
      result = clamp(u * y, s);
      if (b != 0) result = result + b * xi;
      if (c != 0) result = result + c * mi;
    } else {
      result = b * xi + c * mi;
    }
    store<f32>(out + i, result);
  }
}

/** out = out + d noise for the bytes [i, end). */
function addNoise(out: usize, noise: usize, i: usize, end: usize, d: f32): void {
  if (ASC_FEATURE_SIMD) {
    const vd = f32x4.splat(d);
    for (const vectorEnd = i + ((end - i) & ~15); i < vectorEnd; i += 16) {
      v128.store(out + i, f32x4.add(v128.load(out + i), f32x4.mul(vd, v128.load(noise + i))));
    }
  }
  for (; i < end; i += 4) store<f32>(out + i, load<f32>(out + i) + d * load<f32>(noise + i));
}

/** The formula above, over `count` stretches of `length` elements. */
export function update(
  out: usize,
  original: usize,
  x: usize,
  m: usize,
  cond: usize,
  noise: usize,
  length: i32,
  count: i32,
  guidance: f32,
): void {
  const bytes = (<usize>length) << 2;
  let record = coefficients;
  let i: usize = 0;
  for (; count > 0; count--) {
    const end = i + bytes;
    if (original) {
      const k = load<f32>(record, K);
      const l = load<f32>(record, L);
      combine(original, x, m, cond, i, end, guidance, k, l, load<f32>(record, W), load<f32>(record, R), 0, 0);
    }
    const p = load<f32>(record, P);
    const q = load<f32>(record, Q);
    const u = load<f32>(record, U);
    const s = load<f32>(record, S);
    combine(out, x, m, cond, i, end, guidance, p, q, u, s, load<f32>(record, B), load<f32>(record, C));
    const d = load<f32>(record, D);
    if (noise && d != 0) addNoise(out, noise, i, end, d);
    record += RECORD_BYTES;
    i = end;
  }
}
