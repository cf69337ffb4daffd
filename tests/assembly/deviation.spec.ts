import { addDeviations, beginDeviations, deviationRatio } from "../../assembly/deviation";
import { stage } from "../../assembly/memory";
import { nextValue, restart } from "./values";

const N: i32 = 101;

/** The ratio, over N elements handed over in pieces. */
function ratio(piece: i32): f64 {
  beginDeviations(stage(0), stage(1));
  for (let i = 0; i < N; i += piece) {
    for (let index = 0; index < 2; index++) addDeviations(index, stage(index) + i * 4, min(piece, N - i));
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

  it("is that of the scales, and 1 where there is no deviation", () => {
    for (let i = 0; i < N; i++) store<f32>(stage(1) + i * 4, load<f32>(stage(0) + i * 4) / 4 + 8);
    expect(abs(ratio(N) - 4)).toBeLessThan(1e-5);
    for (let i = 0; i < N; i++) store<f32>(stage(1) + i * 4, 0.1);
    expect(ratio(N)).toBe(1);
  });
});
