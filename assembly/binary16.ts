// Half precision, IEEE 754 binary16, which WebAssembly does not have: halves become floats on the way in and are
// rounded once, to nearest even, on the way out. In between there is only float32.
//
//                sign   exponent    mantissa
//     binary16    15     14..10        9..0
//     binary32    31     30..23       22..0
//
// Decoding: the 15 lower bits of a half, moved up by 13, are the bits of a float 2^-112 times its value, be it
// normal, subnormal or zero: one multiplication, which is exact, puts that right. An exponent of all ones is
// widened to one of all ones: infinities and NaNs stay what they are.
//
// Encoding: a half's unit in the last place is 2^-10 of its exponent's power of two, and of 2^-14 below that. Adding
// 2^13 times that power moves a float's bits so far down that the addition itself rounds it there.
// What exceeds the exponents becomes infinity, and every NaN 0x7e00, without its sign, which is not the same in
// all engines.

const SCALE: f32 = 5.192296858534828e33; // 2^112
const INFINITY: u32 = 0x7f800000;
const BEYOND: u32 = 0x47800000; // 2^16, the first power of two that no half holds
const LEAST: u32 = 0x38800000; // 2^-14, the least normal half
const UP: u32 = 13 << 23; // times 2^13
const REBIAS: u32 = UP + (113 << 10);

/** The bits of `n` halves at `source` as floats at `out`. */
export function decode(out: usize, source: usize, n: i32): void {
  let i: usize = 0;
  const end = (<usize>n) << 1;
  if (ASC_FEATURE_SIMD) {
    const sign = i16x8.splat(<i16>0x8000);
    const exponent = i16x8.splat(0x7c00);
    const ones = i16x8.splat(0x7f80);
    const scale = f32x4.splat(SCALE);
    for (const vectorEnd = end & ~15; i < vectorEnd; i += 16) {
      const h = v128.load(source + i);
      const special = i16x8.eq(v128.and(h, exponent), exponent);
      const magnitude = i16x8.shr_u(v128.andnot(h, sign), 3);
      const high = v128.or(v128.or(v128.and(h, sign), magnitude), v128.and(special, ones));
      const low = i16x8.shl(h, 13);
      v128.store(out + (i << 1), f32x4.mul(i16x8.shuffle(low, high, 0, 8, 1, 9, 2, 10, 3, 11), scale));
      v128.store(out + (i << 1), f32x4.mul(i16x8.shuffle(low, high, 4, 12, 5, 13, 6, 14, 7, 15), scale), 16);
    }
  }
  for (; i < end; i += 2) {
    const h = <u32>load<u16>(source + i);
    let bits = ((h & 0x8000) << 16) | ((h & 0x7fff) << 13);
    if ((h & 0x7c00) == 0x7c00) bits |= 0x7f800000;
    store<f32>(out + (i << 1), reinterpret<f32>(bits) * SCALE);
  }
}

/** The magnitude of a half, from that of a float that is no NaN. */
// @ts-ignore: decorator
@inline
function round(magnitude: u32): u32 {
  magnitude = min(magnitude, BEYOND);
  const power = max(magnitude & INFINITY, LEAST);
  const sum = reinterpret<f32>(magnitude) + reinterpret<f32>(power + UP);
  return reinterpret<u32>(sum) - power + (power >> 13) - REBIAS;
}

/** `round` on four lanes. */
// @ts-ignore: decorator
@inline
function vround(magnitude: v128): v128 {
  magnitude = i32x4.min_s(magnitude, i32x4.splat(BEYOND));
  const power = i32x4.max_s(v128.and(magnitude, i32x4.splat(INFINITY)), i32x4.splat(LEAST));
  const sum = f32x4.add(magnitude, i32x4.add(power, i32x4.splat(UP)));
  return i32x4.add(i32x4.sub(sum, power), i32x4.sub(i32x4.shr_u(power, 13), i32x4.splat(REBIAS)));
}

/** `n` floats at `source` rounded to halves, whose bits go to `out`. */
export function encode(out: usize, source: usize, n: i32): void {
  let i: usize = 0;
  const end = (<usize>n) << 1;
  if (ASC_FEATURE_SIMD) {
    const all = i32x4.splat(0x7fffffff);
    const sign = i16x8.splat(<i16>0x8000);
    const vectorEnd = end & ~15;
    let largest = i32x4.splat(0);
    for (; i < vectorEnd; i += 16) {
      const a = v128.load(source + (i << 1));
      const b = v128.load(source + (i << 1), 16);
      const magnitudeA = v128.and(a, all);
      const magnitudeB = v128.and(b, all);
      largest = i32x4.max_s(i32x4.max_s(largest, magnitudeA), magnitudeB);
      const signs = v128.and(i16x8.narrow_i32x4_s(i32x4.shr_s(a, 16), i32x4.shr_s(b, 16)), sign);
      v128.store(out + i, v128.or(i16x8.narrow_i32x4_u(vround(magnitudeA), vround(magnitudeB)), signs));
    }
    // NaNs are rare: all of it again where there was one.
    if (v128.any_true(i32x4.gt_s(largest, i32x4.splat(INFINITY)))) i = 0;
  }
  for (; i < end; i += 2) {
    const bits = load<u32>(source + (i << 1));
    const magnitude = bits & 0x7fffffff;
    store<u16>(out + i, magnitude > INFINITY ? 0x7e00 : round(magnitude) | ((bits >> 16) & 0x8000));
  }
}
