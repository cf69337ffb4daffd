import { blend } from "../../assembly/blend";
import { stage } from "../../assembly/memory";
import { nextValue, restart } from "./values";

const N: i32 = 11; // vectors and a tail

function value(buffer: i32, i: i32): f32 {
  return load<f32>(stage(buffer) + i * 4);
}

describe("blend", () => {
  it("has one weight for all, or one for each element", () => {
    restart();
    for (let i = 0; i < 3 * N; i++) store<f32>(stage(i % 3) + (i / 3) * 4, nextValue());
    blend(stage(3), stage(0), stage(1), 0, 2.5, N);
    blend(stage(4), stage(0), stage(1), stage(2), 0, N);
    for (let i = 0; i < N; i++) {
      const from = value(0, i);
      const to = value(1, i);
      expect(value(3, i)).toBe(from + <f32>2.5 * (to - from));
      expect(value(4, i)).toBe(from + value(2, i) * (to - from));
    }
  });

  it("is exact at the ends, whatever is at the other", () => {
    for (let i = 0; i < N; i++) {
      store<f32>(stage(0) + i * 4, i & 1 ? 0.1 : NaN);
      store<f32>(stage(1) + i * 4, i & 1 ? Infinity : 0.3);
      store<f32>(stage(2) + i * 4, i & 1 ? 0 : 1);
    }
    blend(stage(3), stage(0), stage(1), stage(2), 0, N);
    for (let i = 0; i < N; i++) expect(value(3, i)).toBe(i & 1 ? <f32>0.1 : <f32>0.3);
  });
});
