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
//
// Infinities, NaNs and what exceeds the exponents are rare: the vector loops compute as if there were none and take
// note of the largest magnitude; where there was one, the scalar loop does it all again. The constants of these loops
// are loaded: V8 makes a literal vector anew wherever it is used, in loops too, from three instructions (measured: a
// third slower).

const SCALE: u32 = 0x77800000; // 2^112
const INFINITY: u32 = 0x7f800000;
const MAGNITUDE: u32 = 0x7fffffff; // all bits but the sign
const BEYOND: u32 = 0x47800000; // 2^16, the first power of two that no half holds
const LEAST: u32 = 0x38800000; // 2^-14, the least normal half
const UP: u32 = 13 << 23; // times 2^13
const REBIAS: u32 = UP + (113 << 10);

/** The bits of `n` halves at `source` as floats at `out`, which do not overlap. */
export function decode(out: usize, source: usize, n: i32): void {
  let i: usize = 0;
  const end = (<usize>n) << 1;
  if (ASC_FEATURE_SIMD) {
    const constants = memory.data<u32>([0x8fff8fff, SCALE], 16);
    const signAndRest = v128.load32_splat(constants);
    const scale = v128.load32_splat(constants, 4);
    let largest = i16x8.splat(0); // twice the largest magnitude: without the sign
    for (const vectorEnd = end & ~15; i < vectorEnd; i += 16) {
      const h = v128.load(source + i);
      const high = v128.and(i16x8.shr_s(h, 3), signAndRest);
      const low = i16x8.shl(h, 13);
      largest = i16x8.max_u(largest, i16x8.shl(h, 1));
      v128.store(out + (i << 1), f32x4.mul(i16x8.shuffle(low, high, 0, 8, 1, 9, 2, 10, 3, 11), scale));
      v128.store(out + (i << 1), f32x4.mul(i16x8.shuffle(low, high, 4, 12, 5, 13, 6, 14, 7, 15), scale), 16);
    }
    if (v128.any_true(i16x8.ge_u(largest, i16x8.splat(<i16>0xf800)))) i = 0;
  }
  for (; i < end; i += 2) {
    const h = <u32>load<u16>(source + i);
    let bits = ((h & 0x8000) << 16) | ((h & 0x7fff) << 13);
    if ((h & 0x7c00) == 0x7c00) bits |= INFINITY;
    store<f32>(out + (i << 1), reinterpret<f32>(bits) * reinterpret<f32>(SCALE));
  }
}

/** `n` floats at `source` rounded to halves, whose bits go to `out`; they do not overlap. */
export function encode(out: usize, source: usize, n: i32): void {
  let i: usize = 0;
  const end = (<usize>n) << 1;
  if (ASC_FEATURE_SIMD) {
    const constants = memory.data<u32>([MAGNITUDE, INFINITY, LEAST, UP, REBIAS, 0x80008000], 16);
    const all = v128.load32_splat(constants);
    const infinity = v128.load32_splat(constants, 4);
    const least = v128.load32_splat(constants, 8);
    const up = v128.load32_splat(constants, 12);
    const rebias = v128.load32_splat(constants, 16);
    const sign = v128.load32_splat(constants, 20);
    let largest = i32x4.splat(0);
    for (const vectorEnd = end & ~15; i < vectorEnd; i += 16) {
      const a = v128.load(source + (i << 1));
      const b = v128.load(source + (i << 1), 16);
      const magnitudeA = v128.and(a, all);
      const magnitudeB = v128.and(b, all);
      largest = i32x4.max_s(i32x4.max_s(largest, magnitudeA), magnitudeB);
      const powerA = i32x4.max_s(v128.and(magnitudeA, infinity), least);
      const powerB = i32x4.max_s(v128.and(magnitudeB, infinity), least);
      const sumA = f32x4.add(magnitudeA, i32x4.add(powerA, up));
      const sumB = f32x4.add(magnitudeB, i32x4.add(powerB, up));
      const roundA = i32x4.add(i32x4.sub(sumA, powerA), i32x4.sub(i32x4.shr_u(powerA, 13), rebias));
      const roundB = i32x4.add(i32x4.sub(sumB, powerB), i32x4.sub(i32x4.shr_u(powerB, 13), rebias));
      // As integers negative floats lie far below -2^15: saturation keeps their sign, and gives the others none.
      const signs = v128.and(i16x8.narrow_i32x4_s(a, b), sign);
      v128.store(out + i, v128.or(i16x8.narrow_i32x4_u(roundA, roundB), signs));
    }
    if (v128.any_true(i32x4.ge_s(largest, i32x4.splat(BEYOND)))) i = 0;
  }
  for (; i < end; i += 2) {
    const bits = load<u32>(source + (i << 1));
    const magnitude = min(bits & MAGNITUDE, BEYOND);
    const power = max(magnitude & INFINITY, LEAST);
    const sum = reinterpret<f32>(magnitude) + reinterpret<f32>(power + UP);
    // Only the lower 16 bits are stored, where the power itself has none: it need not be subtracted.
    const half = (reinterpret<u32>(sum) + (power >> 13) - REBIAS) | ((bits >> 16) & 0x8000);
    store<u16>(out + i, (bits & MAGNITUDE) > INFINITY ? 0x7e00 : half);
  }
}
