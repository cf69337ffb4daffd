import { addDeviations, beginDeviations, deviationRatio } from "../../assembly/guidance";
import { stage } from "../../assembly/memory";
import { nextValue, restart } from "./values";

const N: i32 = 101;

/** The ratio, over N elements handed over in pieces. */
function ratio(guidance: f32, piece: i32): f64 {
  beginDeviations(stage(0), stage(1), guidance);
  for (let i = 0; i < N; i += piece) addDeviations(stage(0) + i * 4, stage(1) + i * 4, min(piece, N - i), guidance);
  return deviationRatio(N);
}

describe("the ratio of deviations", () => {
  it("does not depend on the pieces", () => {
    restart();
    for (let i = 0; i < 2 * N; i++) store<f32>(stage(i & 1) + (i >> 1) * 4, nextValue());
    const whole = ratio(3, N);
    expect(whole).toBeLessThan(1);
    for (let piece = 4; piece < N; piece += 4) expect(ratio(3, piece)).toBe(whole);
  });

  it("is 1 for the conditional output itself, and where there is no deviation", () => {
    expect(ratio(1, N)).toBeGreaterThan(0.999999);
    expect(ratio(1, N)).toBeLessThan(1.000001);
    for (let i = 0; i < N; i++) store<f32>(stage(1) + i * 4, 0.1);
    expect(ratio(1, N)).toBe(1);
    expect(ratio(3, N)).toBe(1);
  });
});
