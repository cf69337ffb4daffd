import { firstNotFinite } from "../../assembly/finite";
import { stage } from "../../assembly/memory";
import { nextValue, restart } from "./values";

describe("firstNotFinite", () => {
  it("finds the first of every place, whatever follows", () => {
    const bad: StaticArray<f32> = [NaN, Infinity, -Infinity];
    for (let n = 1; n <= 19; n++) {
      for (let place = 0; place < n; place++) {
        for (let kind = 0; kind < bad.length; kind++) {
          restart();
          for (let i = 0; i < n; i++) store<f32>(stage(0) + ((<usize>i) << 2), nextValue());
          expect(firstNotFinite(stage(0), n)).toBe(-1);
          store<f32>(stage(0) + ((<usize>(n - 1)) << 2), NaN);
          store<f32>(stage(0) + ((<usize>place) << 2), bad[kind]);
          expect(firstNotFinite(stage(0), n)).toBe(place);
        }
      }
    }
  });

  it("takes the largest float and a denormal as finite", () => {
    store<f32>(stage(0), f32.MAX_VALUE);
    store<f32>(stage(0) + 4, 1e-45);
    expect(firstNotFinite(stage(0), 2)).toBe(-1);
  });
});
