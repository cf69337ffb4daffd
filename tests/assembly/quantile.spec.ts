import { beginSelection, count, narrow, selected, selectedNext } from "../../assembly/quantile";
import { nextValue, restart } from "./values";

/** Runs the selection over `values`, handed over in pieces of `piece` elements. */
function select(values: StaticArray<f32>, rank: u32, piece: i32): void {
  beginSelection(rank);
  const start = changetype<usize>(values);
  for (let pass = 0; pass < 3; pass++) {
    for (let i = 0; i < values.length; i += piece) count(start + ((<usize>i) << 2), min(piece, values.length - i));
    narrow();
  }
}

describe("selection", () => {
  it("finds every rank of values that share their high bits", () => {
    const values: StaticArray<f32> = [1.0000001, -1, 1.0000002, 1, 0, -0.5, 3e38, 1e-40];
    const sorted: StaticArray<f32> = [0, 1e-40, 0.5, 1, 1, 1.0000001, 1.0000002, 3e38];
    for (let rank = 0; rank < sorted.length; rank++) {
      for (let piece = 1; piece <= values.length; piece++) {
        select(values, rank, piece);
        expect(selected()).toBe(unchecked(sorted[rank]));
        if (rank + 1 < sorted.length) expect(selectedNext()).toBe(unchecked(sorted[rank + 1]));
      }
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
      for (let piece = 3; piece <= 1001; piece += 499) {
        select(values, rank, piece);
        expect(selected()).toBe(sorted[rank]);
        expect(selectedNext()).toBe(sorted[rank + 1]);
      }
    }
  });

  it("takes infinities as values and reports a NaN", () => {
    select([1, Infinity, -Infinity], 1, 3);
    expect(selected()).toBe(Infinity);
    expect(selectedNext()).toBe(Infinity);
    select([1, NaN, 2], 0, 2);
    expect(isNaN(selected())).toBe(true);
  });
});
