// The fused update of a sample: one pass over memory for everything a step does to an element.
//
//     m    = uncond + guidance (cond - uncond)    where `cond` is not 0, else m as it is
//     y    = x + q m                              m alone, with its factor, when `withSample` is false
//     out  = clamp(u y, -s, s) + b x + c m        out = b x + c m where s is 0
//
// clamp(u y, -s, s) is the predicted original sample, clamped, times its share of the result; with b = c = 0 it is the
// prediction itself. A term of that formula whose coefficient is 0 is left out, not multiplied: 0 * Infinity would be
// NaN.
//
// The vector loops and the scalar loop perform the same operations in the same order: their results are equal
// bit for bit. `out` may be the address of any input. `n` counts elements.

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

// @ts-ignore: decorator
@inline
function vguide(m: v128, cond: v128, vguidance: v128): v128 {
  return f32x4.add(m, f32x4.mul(vguidance, f32x4.sub(cond, m)));
}

/** The vector loop, compiled once for each combination of its first two arguments. */
// @ts-ignore: decorator
@inline
function vectors(
  clamped: bool,
  guided: bool,
  out: usize,
  x: usize,
  m: usize,
  cond: usize,
  bytes: usize,
  guidance: f32,
  withSample: bool,
  q: f32,
  u: f32,
  s: f32,
  b: f32,
  c: f32,
): void {
  const vguidance = f32x4.splat(guidance);
  const vq = f32x4.splat(q);
  const vu = f32x4.splat(u);
  const vs = f32x4.splat(s);
  const vminusS = f32x4.splat(-s);
  const vb = f32x4.splat(b);
  const vc = f32x4.splat(c);
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
    v128.store(out + i, y0);
    v128.store(out + i, y1, 16);
  }
}

/** out = clamp(u (x + q m), -s, s) + b x + c m, over n elements. */
export function update(
  out: usize,
  x: usize,
  m: usize,
  cond: usize,
  n: i32,
  guidance: f32,
  withSample: bool,
  q: f32,
  u: f32,
  s: f32,
  b: f32,
  c: f32,
): void {
  const end = (<usize>n) << 2;
  let i: usize = 0;
  if (ASC_FEATURE_SIMD) {
    i = end & ~31;
    if (s != 0) {
      if (cond) vectors(true, true, out, x, m, cond, i, guidance, withSample, q, u, s, b, c);
      else vectors(true, false, out, x, m, cond, i, guidance, withSample, q, u, s, b, c);
    } else {
      if (cond) vectors(false, true, out, x, m, cond, i, guidance, withSample, q, u, s, b, c);
      else vectors(false, false, out, x, m, cond, i, guidance, withSample, q, u, s, b, c);
    }
  }
  for (; i < end; i += 4) {
    const xi = load<f32>(x + i);
    let mi = load<f32>(m + i);
    if (cond) mi = mi + guidance * (load<f32>(cond + i) - mi);
    let y: f32;
    if (s != 0) {
      y = clamp(u * predict(withSample, xi, mi, q), s);
      if (b != 0) y = y + b * xi;
      if (c != 0) y = y + c * mi;
    } else {
      y = b * xi + c * mi;
    }
    store<f32>(out + i, y);
  }
}
