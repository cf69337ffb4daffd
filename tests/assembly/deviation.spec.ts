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

/** The standard deviation of n values, in two passes. */
function deviation(values: usize, n: i32): f64 {
  let mean: f64 = 0;
  for (let i = 0; i < n; i++) mean += <f64>load<f32>(values + i * 4) / n;
  let squares: f64 = 0;
  for (let i = 0; i < n; i++) squares += (<f64>load<f32>(values + i * 4) - mean) ** 2;
  return sqrt(squares / n);
}

/** Fills both tensors with values around `offset`, those of the second three times as far from it. */
function fill(offset: f32, n: i32): void {
  restart();
  for (let i = 0; i < n; i++) {
    store<f32>(stage(0) + i * 4, offset + nextValue());
    store<f32>(stage(1) + i * 4, offset + 3 * nextValue());
  }
}

describe("the ratio of deviations", () => {
  it("is that of two passes, for every length and however far from 0 the values are", () => {
    const offsets: StaticArray<f32> = [0, 1, -1000, 100000];
    for (let k = 0; k < offsets.length; k++) {
      for (let n = 2; n < 70; n++) {
        fill(offsets[k], n);
        beginDeviations(stage(0), stage(1));
        addDeviations(stage(0), stage(1), n);
        const truth = deviation(stage(0), n) / deviation(stage(1), n);
        expect(abs(deviationRatio(n) / truth - 1)).toBeLessThan(1e-9);
      }
    }
  });

  it("is 1 where either side has no deviation, or there is one value", () => {
    for (let side = 0; side < 2; side++) {
      fill(0.1, N);
      for (let i = 0; i < N; i++) store<f32>(stage(side) + i * 4, 0.1);
      expect(ratio(N)).toBe(1);
    }
    fill(7, 1);
    beginDeviations(stage(0), stage(1));
    addDeviations(stage(0), stage(1), 1);
    expect(deviationRatio(1)).toBe(1);
  });

  it("is NaN where there is a NaN on either side, in a vector or after the last", () => {
    const places: StaticArray<i32> = [0, 1, 2, 3, 50, N - 1];
    for (let side = 0; side < 2; side++) {
      for (let k = 0; k < places.length; k++) {
        fill(0, N);
        store<f32>(stage(side) + places[k] * 4, NaN);
        expect(isNaN(ratio(N))).toBe(true);
      }
    }
  });

  it("begins anew for each element", () => {
    fill(5, N);
    const first = ratio(N);
    expect(ratio(N)).toBe(first);
  });

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
