// Sine and cosine in float64 for |x| <= 8, the only range this module needs: the standard library's reduce any
// argument, with a table, and take four times the bytes. The polynomials are those of fdlibm (Sun Microsystems, 1993),
// whose error is below one unit in the last place.

const TWO_OVER_PI: f64 = 6.36619772367581382433e-1;
const HALF_PI_HIGH: f64 = 1.57079632673412561417; // 33 bits of pi / 2
const HALF_PI_LOW: f64 = 6.07710050650619224932e-11; // the rest

/** sin(x + y) for |x| <= pi / 4 and a correction y. */
function kernelSin(x: f64, y: f64): f64 {
  const z = x * x;
  const v = z * x;
  const r =
    8.33333333332248946124e-3 +
    z * (-1.98412698298579493134e-4 + z * 2.75573137070700676789e-6) +
    z * (z * z) * (-2.50507602534068634195e-8 + z * 1.58969099521155010221e-10);
  return x - (z * (0.5 * y - v * r) - y + v * 1.66666666666666324348e-1);
}

/** cos(x + y) for |x| <= pi / 4 and a correction y. */
function kernelCos(x: f64, y: f64): f64 {
  const z = x * x;
  const r =
    z * (4.16666666666666019037e-2 + z * (-1.38888888888741095749e-3 + z * 2.48015872894767294178e-5)) +
    z * z * (z * z) * (-2.75573143513906633035e-7 + z * (2.0875723212981748279e-9 + z * -1.13596475577881948265e-11));
  const half = 0.5 * z;
  const w = 1.0 - half;
  return w + (1.0 - w - half + (z * r - x * y));
}

/** The sine of x + quarters * pi / 2. */
function sinOfSum(x: f64, quarters: f64): f64 {
  const n = nearest(x * TWO_OVER_PI);
  const r = x - n * HALF_PI_HIGH;
  const w = n * HALF_PI_LOW;
  const high = r - w;
  const low = r - high - w;
  const quadrant = <i32>(n + quarters);
  const value = quadrant & 1 ? kernelCos(high, low) : kernelSin(high, low);
  return quadrant & 2 ? -value : value;
}

export function sin(x: f64): f64 {
  return sinOfSum(x, 0);
}

export function cos(x: f64): f64 {
  return sinOfSum(x, 1);
}
