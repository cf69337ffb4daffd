// Half precision, IEEE 754 binary16, in plain numbers.

/** The values that binary16 bits stand for. */
export function fromHalves(bits: ArrayLike<number>): Float32Array {
  return Float32Array.from(bits, (half) => {
    const sign = half & 0x8000 ? -1 : 1;
    const exponent = (half >> 10) & 0x1f;
    const mantissa = (half & 0x3ff) / 1024;
    if (exponent === 0x1f) return mantissa === 0 ? sign * Infinity : NaN;
    return exponent === 0 ? sign * mantissa * 2 ** -14 : sign * (1 + mantissa) * 2 ** (exponent - 15);
  });
}

/** The half that is nearest to a float32, the even one of two. */
export function roundToHalf(value: number): number {
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(value))), -14);
  const unit = 2 ** (exponent - 10);
  const below = Math.floor(value / unit);
  const rest = value / unit - below;
  const rounded = rest > 0.5 || (rest === 0.5 && below % 2 !== 0) ? below + 1 : below;
  const half = rounded * unit;
  return Math.abs(half) > 65504 ? Math.sign(half) * Infinity : half;
}
