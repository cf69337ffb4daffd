import { exp, log, sine } from "../../assembly/elementary";
import { stage } from "../../assembly/memory";
import { cosines } from "../../assembly/tables";

/** The distance in units in the last place of the larger. */
function units(a: f64, b: f64): f64 {
  const largest = max(abs(a), abs(b));
  if (largest == 0) return 0;
  return abs(a - b) / (reinterpret<f64>(reinterpret<u64>(largest) + 1) - largest);
}

describe("elementary functions", () => {
  it("agree with the standard library's", () => {
    let worst: f64 = 0;
    for (let i = 1; i <= 20000; i++) {
      const x = <f64>i * 0.00031415;
      worst = max(worst, units(sine(x, 0), NativeMath.sin(x)));
      worst = max(worst, units(sine(x, 1), NativeMath.cos(x)));
      worst = max(worst, units(exp(x - 3), NativeMath.exp(x - 3)));
      worst = max(worst, units(log(x), NativeMath.log(x)));
    }
    expect(worst).toBeLessThan(3);
  });

  it("give the same cosines over arrays, two at a time and alone", () => {
    const N = 1001;
    let wrong = 0;
    for (let i = 0; i < N; i++) store<f64>(stage(0) + ((<usize>i) << 3), <f64>(i - 500) * 0.19);
    cosines(stage(0), N);
    for (let i = 0; i < N; i++) {
      const expected = sine(<f64>(i - 500) * 0.19, 1);
      if (reinterpret<u64>(load<f64>(stage(0) + ((<usize>i) << 3))) != reinterpret<u64>(expected)) wrong++;
    }
    expect(wrong).toBe(0);
  });

  it("are exact where the result is", () => {
    expect(sine(0, 0)).toBe(0);
    expect(sine(0, 1)).toBe(1);
    expect(exp(0)).toBe(1);
    expect(log(1)).toBe(0);
    expect(log(2 ** -53)).toBe(-36.7368005696771);
  });
});
