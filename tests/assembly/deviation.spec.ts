import { addDeviations, beginDeviations, deviationRatio, deviationRatios } from "../../assembly/deviation";
import { elementStatistics, stage } from "../../assembly/memory";
import { nextValue, restart } from "./values";

const N: i32 = 101;

/** The ratio, over N elements handed over in pieces. */
function ratio(piece: i32): f64 {
  beginDeviations(stage(0), stage(1));
  for (let i = 0; i < N; i += piece) {
    addDeviations(stage(0) + i * 4, stage(1) + i * 4, min(piece, N - i));
  }
  return deviationRatio(N);
}

describe("the ratio of deviations", () => {
  it("does not depend on the pieces", () => {
    restart();
    for (let i = 0; i < 2 * N; i++) store<f32>(stage(i & 1) + (i >> 1) * 4, nextValue());
    const whole = ratio(N);
    expect(whole).not.toBe(1);
    for (let piece = 4; piece < N; piece += 4) expect(ratio(piece)).toBe(whole);
  });

  it("is the same for several batch elements at once", () => {
    restart();
    const length: i32 = N;
    for (let i = 0; i < 3 * length; i++) {
      store<f32>(stage(0) + i * 4, nextValue());
      store<f32>(stage(1) + i * 4, nextValue());
    }
    deviationRatios(stage(0), stage(1), length, 3);
    for (let element = 0; element < 3; element++) {
      const offset = element * length * 4;
      beginDeviations(stage(0) + offset, stage(1) + offset);
      addDeviations(stage(0) + offset, stage(1) + offset, length);
      expect(load<f64>(elementStatistics() + element * 8)).toBe(deviationRatio(length));
    }
  });

  it("is that of the scales, and 1 where there is no deviation", () => {
    for (let i = 0; i < N; i++) store<f32>(stage(1) + i * 4, load<f32>(stage(0) + i * 4) / 4 + 8);
    expect(abs(ratio(N) - 4)).toBeLessThan(1e-5);
    for (let i = 0; i < N; i++) store<f32>(stage(1) + i * 4, 0.1);
    expect(ratio(N)).toBe(1);
  });
});
