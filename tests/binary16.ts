// Half precision in float64, written from the format.

/** The value of the half with these bits. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const mantissa = bits & 0x3ff;
  if (exponent === 31) return mantissa ? NaN : sign * Infinity;
  return sign * (exponent ? (1 + mantissa / 1024) * 2 ** (exponent - 15) : mantissa * 2 ** -24);
}

/** The bits of the half nearest to a number, the even one of two. */
export function numberToHalf(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  if (magnitude === Infinity) return sign | 0x7c00;
  const exponent = Math.max(Math.floor(Math.log2(Math.max(magnitude, 2 ** -14))), -14);
  const unit = 2 ** (exponent - 10);
  const below = Math.floor(magnitude / unit);
  const rest = magnitude / unit - below;
  const units = rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
  return sign | Math.min(units + (exponent + 14) * 1024, 0x7c00);
}

/** How many halves lie between two, counting through zero; infinite when one of them is a NaN and the other is not. */
export function halfDistance(a: number, b: number): number {
  const aIsNaN = (a & 0x7fff) > 0x7c00;
  const bIsNaN = (b & 0x7fff) > 0x7c00;
  if (aIsNaN || bIsNaN) return aIsNaN && bIsNaN ? 0 : Infinity;
  const order = (bits: number): number => (bits & 0x8000 ? -(bits & 0x7fff) : bits);
  return Math.abs(order(a) - order(b));
}
