// PyTorch's random numbers on a CPU, bit for bit: MT19937, uniforms, and normals by the Box-Muller transform with
// the polynomials of Cephes in the form of avx_mathfun.h (J. Pommier, G. Garberoglio; zlib licence), as
// PyTorch's AVX2 kernel computes them with fused multiply-adds.
//
// A fused multiply-add of floats is computed as R(f64(a) * f64(b) + f64(c)), where R rounds to float32: this has
// the same bits as the fused one for every input that a 24-bit uniform can produce.

import { log, sine } from "./elementary";
import { randomWords as words, uniformPair } from "./memory";

const N: i32 = 624;
const M: i32 = 397;

// The state: the words of MT19937 and, in bytes from its beginning:
const POSITION: usize = 2496; // the next word to hand out
const LEFT: usize = 2500; // words that may be handed out before the state is renewed, plus 1
const HAS_CACHED: usize = 2504; // whether a pair's second normal waits, the first having been handed out
const CACHED: usize = 2512; // that normal, in float64

/** Fills the state from a seed's low 32 bits. */
export function seedRandom(seed: u32): void {
  let s = seed;
  store<u32>(words, s);
  for (let j: u32 = 1; j < <u32>N; j++) {
    s = 1812433253 * (s ^ (s >> 30)) + j;
    store<u32>(words + ((<usize>j) << 2), s);
  }
  memory.fill(words + POSITION, 0, 24);
  store<i32>(words, 1, LEFT);
}

// @ts-ignore: decorator
@inline
function renewWord(i: i32, following: i32, distant: i32): void {
  const low = load<u32>(words + ((<usize>following) << 2));
  const y = (load<u32>(words + ((<usize>i) << 2)) & 0x80000000) | (low & 0x7fffffff);
  store<u32>(
    words + ((<usize>i) << 2),
    load<u32>(words + ((<usize>distant) << 2)) ^ (y >> 1) ^ (low & 1 ? 0x9908b0df : 0),
  );
}

/** Renews words [from, to), whose following words are still the old ones; a multiple of 4 at a time where it can. */
function renewWords(from: i32, to: i32, distance: i32): void {
  let i = from;
  if (ASC_FEATURE_SIMD) {
    const high = i32x4.splat(0x80000000);
    const one = i32x4.splat(1);
    const matrix = i32x4.splat(0x9908b0df);
    for (; i + 4 <= to; i += 4) {
      const p = words + ((<usize>i) << 2);
      const low = v128.load(p, 4);
      const y = v128.bitselect(v128.load(p), low, high);
      const odd = v128.and(i32x4.eq(v128.and(low, one), one), matrix);
      v128.store(p, v128.xor(v128.xor(v128.load(p + ((<isize>distance) << 2)), i32x4.shr_u(y, 1)), odd));
    }
  }
  for (; i < to; i++) renewWord(i, i + 1, i + distance);
}

function renew(): void {
  renewWords(0, N - M, M);
  renewWords(N - M, N - 1, M - N);
  renewWord(N - 1, 0, M - 1);
}

// @ts-ignore: decorator
@inline
function temper(y: u32): u32 {
  y ^= y >> 11;
  y ^= (y << 7) & 0x9d2c5680;
  y ^= (y << 15) & 0xefc60000;
  return y ^ (y >> 18);
}

// @ts-ignore: decorator
@inline
function vtemper(y: v128): v128 {
  y = v128.xor(y, i32x4.shr_u(y, 11));
  y = v128.xor(y, v128.and(i32x4.shl(y, 7), i32x4.splat(0x9d2c5680)));
  y = v128.xor(y, v128.and(i32x4.shl(y, 15), i32x4.splat(0xefc60000)));
  return v128.xor(y, i32x4.shr_u(y, 18));
}

/** Stores the next `n` words of the generator at `out`. */
export function drawWords(out: usize, n: i32): void {
  let position = load<i32>(words, POSITION);
  let left = load<i32>(words, LEFT);
  while (n > 0) {
    if (left <= 1) {
      renew();
      position = 0;
      left = N + 1;
    }
    const taken = min(n, left - 1);
    const source = words + ((<usize>position) << 2);
    const end = (<usize>taken) << 2;
    let i: usize = 0;
    if (ASC_FEATURE_SIMD) {
      for (; i + 16 <= end; i += 16) v128.store(out + i, vtemper(v128.load(source + i)));
    }
    for (; i < end; i += 4) store<u32>(out + i, temper(load<u32>(source + i)));
    out += end;
    n -= taken;
    position += taken;
    left -= taken;
  }
  store<i32>(words, position, POSITION);
  store<i32>(words, left, LEFT);
}

const U24: f32 = 1.0 / 16777216.0;

/** Turns `n` words at `out` into uniforms in [0, 1) with 24 bits. */
function uniforms(out: usize, n: i32): void {
  const end = (<usize>n) << 2;
  let i: usize = 0;
  if (ASC_FEATURE_SIMD) {
    const mask = i32x4.splat(0xffffff);
    const scale = f32x4.splat(U24);
    for (; i + 16 <= end; i += 16) {
      v128.store(out + i, f32x4.mul(f32x4.convert_i32x4_s(v128.and(v128.load(out + i), mask)), scale));
    }
  }
  for (; i < end; i += 4) store<f32>(out + i, <f32>(load<i32>(out + i) & 0xffffff) * U24);
}

/** torch.rand: `n` uniforms at `out`. Those that a half would round up to 1 are 0 when `half` is set. */
export function drawUniforms(out: usize, n: i32, half: bool): void {
  drawWords(out, n);
  uniforms(out, n);
  if (!half) return;
  for (let i: usize = 0, end = (<usize>n) << 2; i < end; i += 4) {
    if (load<f32>(out + i) >= 1 - 1.0 / 4096) store<f32>(out + i, 0);
  }
}

// The constants of the logarithm and of sine and cosine; every one is a float32.
const SQRTHF: f32 = reinterpret<f32>(0x3f3504f3); // sqrt(1/2)
const P0: f32 = reinterpret<f32>(0x3d9021bb);
const P1: f32 = reinterpret<f32>(0xbdebd1b8);
const P2: f32 = reinterpret<f32>(0x3def251a);
const P3: f32 = reinterpret<f32>(0xbdfe5d4f);
const P4: f32 = reinterpret<f32>(0x3e11e9bf);
const P5: f32 = reinterpret<f32>(0xbe2aae50);
const P6: f32 = reinterpret<f32>(0x3e4cceac);
const P7: f32 = reinterpret<f32>(0xbe7ffffc);
const P8: f32 = reinterpret<f32>(0x3eaaaaaa);
const Q1: f32 = reinterpret<f32>(0xb95e8083);
const Q2: f32 = reinterpret<f32>(0x3f318000);
const FOPI: f32 = reinterpret<f32>(0x3fa2f983); // 4 / pi
const DP1: f32 = reinterpret<f32>(0xbf490000);
const DP2: f32 = reinterpret<f32>(0xb97da000);
const DP3: f32 = reinterpret<f32>(0xb3222169);
const TWO_PI: f32 = reinterpret<f32>(0x40c90fdb);
const S0: f32 = reinterpret<f32>(0xb94ca1f9);
const S1: f32 = reinterpret<f32>(0x3c08839e);
const S2: f32 = reinterpret<f32>(0xbe2aaaa3);
const C0: f32 = reinterpret<f32>(0x37ccf5ce);
const C1: f32 = reinterpret<f32>(0xbab6061a);
const C2: f32 = reinterpret<f32>(0x3d2aaaa5);

/** A fused multiply-add, in the sense of this file's head. */
// @ts-ignore: decorator
@inline
function fused(a: f32, b: f32, c: f32): f32 {
  return <f32>(<f64>a * <f64>b + <f64>c);
}

/** Rounds two float64 to float32, as float64. */
// @ts-ignore: decorator
@inline
function vround(v: v128): v128 {
  return f64x2.promote_low_f32x4(f32x4.demote_f64x2_zero(v));
}

/** `fused` on two lanes of float32 kept as float64. */
// @ts-ignore: decorator
@inline
function vfused(a: v128, b: v128, c: v128): v128 {
  return vround(f64x2.add(f64x2.mul(a, b), c));
}

// @ts-ignore: decorator
@inline
function widen(constant: f32): v128 {
  return f64x2.splat(<f64>constant);
}

/** The upper two lanes of a float32 vector as float64. */
// @ts-ignore: decorator
@inline
function promoteHigh(v: v128): v128 {
  return f64x2.promote_low_f32x4(i64x2.shuffle(v, v, 1, 1));
}

/** Two pairs of float64 that hold float32 values, as one float32 vector. */
// @ts-ignore: decorator
@inline
function join(low: v128, high: v128): v128 {
  return i64x2.shuffle(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 2);
}

/** Normals of one uniform pair: the uniforms' words are at `out` and `out + 32`, the normals take their place. */
function transformPair(out: usize): void {
  const u1 = <f32>1 - <f32>(load<i32>(out) & 0xffffff) * U24;
  const u2 = <f32>(load<i32>(out, 32) & 0xffffff) * U24;

  const bits = reinterpret<u32>(u1);
  let e = <f32>(<i32>(bits >> 23) - 126);
  let m = reinterpret<f32>((bits & 0x007fffff) | 0x3f000000);
  if (m < SQRTHF) {
    e = e - 1;
    m = m - 1 + m;
  } else {
    m = m - 1;
  }
  let z = m * m;
  let y = fused(P0, m, P1);
  y = fused(y, m, P2);
  y = fused(y, m, P3);
  y = fused(y, m, P4);
  y = fused(y, m, P5);
  y = fused(y, m, P6);
  y = fused(y, m, P7);
  y = fused(y, m, P8);
  y = y * m;
  y = fused(y, z, e * Q1);
  y = y - <f32>0.5 * z;
  const radius = sqrt<f32>(-2 * (m + y + e * Q2));

  const theta = TWO_PI * u2;
  const j = (<i32>(theta * FOPI) + 1) & ~1;
  const fj = <f32>j;
  let x = theta + fj * DP1;
  x = x + fj * DP2;
  x = fused(fj, DP3, x);
  z = x * x;
  let c = fused(C0, z, C1);
  c = fused(c, z, C2);
  c = c * z;
  c = fused(c, z, <f32>-0.5 * z);
  c = c + 1;
  let s = fused(S0, z, S1);
  s = fused(s, z, S2);
  s = s * z;
  s = fused(s, x, x);
  const swap = (j & 2) != 0;
  const cosine = swap ? s : c;
  const sine = swap ? c : s;
  store<f32>(out, radius * (((j - 2) & 4) == 0 ? -cosine : cosine) + 0);
  store<f32>(out, radius * ((j & 4) != 0 ? -sine : sine) + 0, 32);
}

/** `transformPair` for four pairs; each fused chain runs in two halves that meet only at its end. */
// @ts-ignore: decorator
@inline
function transformFour(out: usize): void {
  const mask = i32x4.splat(0xffffff);
  const one = f32x4.splat(1);
  const scale = f32x4.splat(U24);
  const u1 = f32x4.sub(one, f32x4.mul(f32x4.convert_i32x4_s(v128.and(v128.load(out), mask)), scale));
  const u2 = f32x4.mul(f32x4.convert_i32x4_s(v128.and(v128.load(out, 32), mask)), scale);

  let m = v128.or(v128.and(u1, i32x4.splat(0x007fffff)), i32x4.splat(0x3f000000));
  const small = f32x4.lt(m, f32x4.splat(SQRTHF));
  const e = f32x4.convert_i32x4_s(i32x4.add(i32x4.sub(i32x4.shr_u(u1, 23), i32x4.splat(126)), small));
  m = f32x4.add(f32x4.sub(m, one), v128.and(m, small));
  let z = f32x4.mul(m, m);
  const ml = f64x2.promote_low_f32x4(m);
  const mh = promoteHigh(m);
  let yl = vfused(widen(P0), ml, widen(P1));
  let yh = vfused(widen(P0), mh, widen(P1));
  yl = vfused(yl, ml, widen(P2));
  yh = vfused(yh, mh, widen(P2));
  yl = vfused(yl, ml, widen(P3));
  yh = vfused(yh, mh, widen(P3));
  yl = vfused(yl, ml, widen(P4));
  yh = vfused(yh, mh, widen(P4));
  yl = vfused(yl, ml, widen(P5));
  yh = vfused(yh, mh, widen(P5));
  yl = vfused(yl, ml, widen(P6));
  yh = vfused(yh, mh, widen(P6));
  yl = vfused(yl, ml, widen(P7));
  yh = vfused(yh, mh, widen(P7));
  yl = vfused(yl, ml, widen(P8));
  yh = vfused(yh, mh, widen(P8));
  yl = vround(f64x2.mul(yl, ml));
  yh = vround(f64x2.mul(yh, mh));
  const eq = f32x4.mul(e, f32x4.splat(Q1));
  let y = join(
    f64x2.add(f64x2.mul(yl, f64x2.promote_low_f32x4(z)), f64x2.promote_low_f32x4(eq)),
    f64x2.add(f64x2.mul(yh, promoteHigh(z)), promoteHigh(eq)),
  );
  y = f32x4.sub(y, f32x4.mul(f32x4.splat(0.5), z));
  const log = f32x4.add(f32x4.add(m, y), f32x4.mul(e, f32x4.splat(Q2)));
  const radius = f32x4.sqrt(f32x4.mul(f32x4.splat(-2), log));

  const theta = f32x4.mul(f32x4.splat(TWO_PI), u2);
  const j = v128.and(
    i32x4.add(i32x4.trunc_sat_f32x4_s(f32x4.mul(theta, f32x4.splat(FOPI))), i32x4.splat(1)),
    i32x4.splat(~1),
  );
  const fj = f32x4.convert_i32x4_s(j);
  let x = f32x4.add(theta, f32x4.mul(fj, f32x4.splat(DP1)));
  x = f32x4.add(x, f32x4.mul(fj, f32x4.splat(DP2)));
  const xl = vfused(f64x2.promote_low_f32x4(fj), widen(DP3), f64x2.promote_low_f32x4(x));
  const xh = vfused(promoteHigh(fj), widen(DP3), promoteHigh(x));
  x = join(xl, xh);
  z = f32x4.mul(x, x);
  const zl = f64x2.promote_low_f32x4(z);
  const zh = promoteHigh(z);
  let cl = vfused(widen(C0), zl, widen(C1));
  let ch = vfused(widen(C0), zh, widen(C1));
  let sl = vfused(widen(S0), zl, widen(S1));
  let sh = vfused(widen(S0), zh, widen(S1));
  cl = vfused(cl, zl, widen(C2));
  ch = vfused(ch, zh, widen(C2));
  sl = vfused(sl, zl, widen(S2));
  sh = vfused(sh, zh, widen(S2));
  cl = vround(f64x2.mul(cl, zl));
  ch = vround(f64x2.mul(ch, zh));
  sl = vround(f64x2.mul(sl, zl));
  sh = vround(f64x2.mul(sh, zh));
  const minusHalf = f64x2.splat(-0.5);
  const c = f32x4.add(
    join(
      f64x2.add(f64x2.mul(cl, zl), f64x2.mul(minusHalf, zl)),
      f64x2.add(f64x2.mul(ch, zh), f64x2.mul(minusHalf, zh)),
    ),
    one,
  );
  const s = join(f64x2.add(f64x2.mul(sl, xl), xl), f64x2.add(f64x2.mul(sh, xh), xh));
  const two = i32x4.splat(2);
  const swap = i32x4.eq(v128.and(j, two), two);
  const sineSign = i32x4.shl(v128.and(j, i32x4.splat(4)), 29);
  const cosineSign = i32x4.shl(v128.andnot(i32x4.splat(4), i32x4.sub(j, two)), 29);
  const cosine = v128.xor(v128.bitselect(s, c, swap), cosineSign);
  const sine = v128.xor(v128.bitselect(c, s, swap), sineSign);
  const zero = f32x4.splat(0);
  v128.store(out, f32x4.add(f32x4.mul(radius, cosine), zero));
  v128.store(out, f32x4.add(f32x4.mul(radius, sine), zero), 32);
}

/** The Box-Muller transform of `blocks` blocks of 16 words at `out`: eight radii, then eight angles. */
export function transform(out: usize, blocks: i32): void {
  for (let i: usize = 0, end = (<usize>blocks) << 6; i < end; i += 64) {
    if (ASC_FEATURE_SIMD) {
      for (let pair: usize = 0; pair < 32; pair += 16) transformFour(out + i + pair);
    } else {
      for (let pair: usize = 0; pair < 32; pair += 4) transformPair(out + i + pair);
    }
  }
}

/**
 * torch.randn for one piece of a tensor of at least 16 elements: `n` normals at `out`. Only a tensor's last piece
 * may hold a number of elements that is no multiple of 16, and it holds at least 16: torch draws the last 16 again.
 * With `half` set the rest of a block is not drawn before that, as torch does for float16.
 */
export function drawNormals(out: usize, n: i32, half: bool): void {
  drawWords(out, half ? n & ~15 : n);
  transform(out, n >> 4);
  if (n & 15) {
    const last = out + ((<usize>(n - 16)) << 2);
    drawWords(last, 16);
    transform(last, 1);
  }
}

/** A uniform in [0, 1) with 53 bits, from two words. */
// @ts-ignore: decorator
@inline
function uniform53(address: usize): f64 {
  const high = <u64>(load<u32>(address) & 0x1fffff);
  return <f64>((high << 32) | (<u64>load<u32>(address, 4))) * (1.0 / 9007199254740992.0);
}

/** torch.randn for a tensor of fewer than 16 elements: computed in float64, and the state keeps half a pair. */
export function drawFewNormals(out: usize, n: i32): void {
  for (let i: usize = 0, end = (<usize>n) << 2; i < end; i += 4) {
    const hasCached = load<i32>(words, HAS_CACHED);
    store<i32>(words, hasCached ? 0 : 1, HAS_CACHED);
    if (hasCached) {
      store<f32>(out + i, <f32>load<f64>(words, CACHED));
      store<f64>(words, 0, CACHED);
    } else {
      drawWords(uniformPair, 4);
      const theta = 2.0 * NativeMath.PI * uniform53(uniformPair);
      const radius = sqrt<f64>(-2.0 * log(1.0 - uniform53(uniformPair + 8)));
      store<f64>(words, radius * sine(theta, 0), CACHED);
      store<f32>(out + i, <f32>(radius * sine(theta, 1)));
    }
  }
}
