import { elementStatistics, stage } from "../../assembly/memory";
import { beginSelection, count, narrow, quantile, quantiles } from "../../assembly/quantile";
import { nextValue, restart } from "./values";

/** The quantile between `rank` and the next of `values`, handed over in pieces; as if there were `length` of them. */
function select(values: StaticArray<f32>, length: i32, rank: u32, weight: f64, piece: i32): f64 {
  beginSelection(length, rank);
  const start = changetype<usize>(values);
  do {
    for (let i = 0; i < values.length; i += piece) count(start + ((<usize>i) << 2), min(piece, values.length - i));
  } while (narrow());
  return quantile(weight);
}

/** The quantile of a batch element in the module's stage, as many values as `values` has. */
function selectWhole(values: StaticArray<f32>, rank: u32, weight: f64): f64 {
  for (let i = 0; i < values.length; i++) store<f32>(stage(0) + ((<usize>i) << 2), values[i]);
  quantiles(stage(0), values.length, 1, rank, weight);
  return load<f64>(elementStatistics());
}

const FEW = 100; // digits of 8 bits
const MANY = 100000; // digits of 11 bits

describe("selection", () => {
  it("finds every rank of values that share their high bits", () => {
    const values: StaticArray<f32> = [1.0000001, -1, 1.0000002, 1, 0, -0.5, 3e38, 1e-40];
    const sorted: StaticArray<f32> = [0, 1e-40, 0.5, 1, 1, 1.0000001, 1.0000002, 3e38];
    for (let rank = 0; rank < sorted.length; rank++) {
      const next = rank + 1 < sorted.length ? sorted[rank + 1] : sorted[rank];
      const between = <f64>sorted[rank] + (<f64>next - <f64>sorted[rank]) * 0.25;
      for (let piece = 1; piece <= values.length; piece++) {
        for (let length = FEW; length <= MANY; length += MANY - FEW) {
          expect(select(values, length, rank, 0, piece)).toBe(<f64>sorted[rank]);
          if (rank + 1 < sorted.length) expect(select(values, length, rank, 0.25, piece)).toBe(between);
        }
      }
      expect(selectWhole(values, rank, 0)).toBe(<f64>sorted[rank]);
      if (rank + 1 < sorted.length) expect(selectWhole(values, rank, 0.25)).toBe(between);
    }
  });

  it("finds what sorting finds, however the values are cut into pieces", () => {
    restart();
    const values = new StaticArray<f32>(1001);
    for (let i = 0; i < values.length; i++) values[i] = nextValue();
    const sorted = new StaticArray<f32>(1001);
    for (let i = 0; i < values.length; i++) sorted[i] = abs(values[i]);
    sorted.sort();
    for (let rank = 0; rank < 1000; rank += 37) {
      const between = (<f64>sorted[rank] + <f64>sorted[rank + 1]) / 2;
      for (let piece = 3; piece <= 1001; piece += 499) {
        for (let length = FEW; length <= MANY; length += MANY - FEW) {
          expect(select(values, length, rank, 0, piece)).toBe(<f64>sorted[rank]);
          expect(abs(select(values, length, rank, 0.5, piece) - between)).toBeLessThan(1e-15);
        }
      }
      expect(selectWhole(values, rank, 0)).toBe(<f64>sorted[rank]);
    }
  });

  it("works on several batch elements at once", () => {
    restart();
    for (let length = 1; length <= 80; length++) {
      for (let i = 0; i < 3 * length; i++) store<f32>(stage(0) + ((<usize>i) << 2), nextValue());
      const expected = new StaticArray<f64>(3);
      for (let element = 0; element < 3; element++) {
        const sorted = new StaticArray<f32>(length);
        for (let i = 0; i < length; i++) {
          sorted[i] = abs(load<f32>(stage(0) + ((<usize>(element * length + i)) << 2)));
        }
        sorted.sort();
        expected[element] = <f64>sorted[length >> 1];
      }
      quantiles(stage(0), length, 3, length >> 1, 0);
      for (let element = 0; element < 3; element++) {
        expect(load<f64>(elementStatistics() + ((<usize>element) << 3))).toBe(expected[element]);
      }
    }
  });

  it("takes infinities as values and reports a NaN", () => {
    for (let length = FEW; length <= MANY; length += MANY - FEW) {
      expect(select([1, Infinity, -Infinity], length, 1, 0.5, 3)).toBe(Infinity);
      expect(isNaN(select([1, NaN, 2], length, 0, 0, 2))).toBe(true);
    }
    expect(selectWhole([1, Infinity, -Infinity], 1, 0.5)).toBe(Infinity);
    expect(isNaN(selectWhole([1, NaN, 2], 0, 0))).toBe(true);
  });
});
