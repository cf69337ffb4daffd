// Elementary functions in float64, for the few arguments this module has: the standard library's take any, with tables,
// and four times the bytes. All are sums of series, from the smallest term on, after a reduction of the argument in
// two parts; they stay within two units in the last place.

const LOG2_HIGH: f64 = 6.9314718036912381649e-1; // 33 bits of log(2)
const LOG2_LOW: f64 = 1.90821492927058770002e-10; // the rest
const HALF_PI_HIGH: f64 = 1.57079632673412561417; // 33 bits of pi / 2
const HALF_PI_LOW: f64 = 6.07710050650619224932e-11; // the rest

/** The exponential, for |x| < 700. */
export function exp(x: f64): f64 {
  const n = nearest(x / (LOG2_HIGH + LOG2_LOW));
  const r = x - n * LOG2_HIGH - n * LOG2_LOW;
  let sum: f64 = 1;
  for (let i: f64 = 16; i > 0; i -= 1) sum = 1 + (sum * r) / i;
  return sum * reinterpret<f64>((<i64>n + 1023) << 52);
}

/** The natural logarithm, for normal x > 0: 2 artanh((m - 1) / (m + 1)), where m is the mantissa, near 1. */
export function log(x: f64): f64 {
  const bits = reinterpret<i64>(x);
  const n = (bits - reinterpret<i64>(SQRT_HALF)) >> 52;
  const m = reinterpret<f64>(bits - (n << 52));
  const s = (m - 1) / (m + 1);
  let sum: f64 = 0;
  for (let i: f64 = 27; i > 1; i -= 2) sum = (sum + 1 / i) * s * s;
  return <f64>n * LOG2_HIGH + (<f64>n * LOG2_LOW + 2 * (s + s * sum));
}

const SQRT_HALF: f64 = 0.7071067811865476;

/** The cosines of two values, as `sine` computes them. */
// @ts-ignore: decorator
@inline
export function vcosine(x: v128): v128 {
  const one = f64x2.splat(1);
  const n = f64x2.nearest(f64x2.div(x, f64x2.splat(HALF_PI_HIGH + HALF_PI_LOW)));
  const r = f64x2.sub(f64x2.sub(x, f64x2.mul(n, f64x2.splat(HALF_PI_HIGH))), f64x2.mul(n, f64x2.splat(HALF_PI_LOW)));
  const quadrant = i64x2.extend_low_i32x4_s(i32x4.add(i32x4.trunc_sat_f64x2_s_zero(n), i32x4.splat(1)));
  const cosine = i64x2.ne(v128.and(quadrant, i64x2.splat(1)), i64x2.splat(0));
  const shift = v128.bitselect(f64x2.splat(-1), one, cosine);
  let sum = one;
  for (let i: f64 = 18; i > 0; i -= 2) {
    const divisor = f64x2.mul(f64x2.splat(i), f64x2.add(f64x2.splat(i), shift));
    sum = f64x2.sub(one, f64x2.div(f64x2.mul(f64x2.mul(sum, r), r), divisor));
  }
  sum = v128.bitselect(sum, f64x2.mul(sum, r), cosine);
  return v128.xor(sum, i64x2.shl(i64x2.shr_u(quadrant, 1), 63));
}

/** The sine of x + quarters * pi / 2, for |x| < 100. */
export function sine(x: f64, quarters: f64): f64 {
  const n = nearest(x / (HALF_PI_HIGH + HALF_PI_LOW));
  const r = x - n * HALF_PI_HIGH - n * HALF_PI_LOW;
  const quadrant = <i32>(n + quarters);
  // The series of the cosine and of the sine differ in their factorials, and the sine's begins with r.
  const cosine = quadrant & 1;
  const shift: f64 = cosine ? -1 : 1;
  let sum: f64 = 1;
  for (let i: f64 = 18; i > 0; i -= 2) sum = 1 - (sum * r * r) / (i * (i + shift));
  if (!cosine) sum *= r;
  return quadrant & 2 ? -sum : sum;
}
