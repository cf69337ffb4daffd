import { stage } from "../../assembly/memory";
import { update } from "../../assembly/update";
import { nextValue, restart } from "./values";

const N: i32 = 37; // vectors and a tail

function at(buffer: i32, i: i32): usize {
  return stage(buffer) + ((<usize>i) << 2);
}

function fill(): void {
  restart();
  for (let buffer = 0; buffer < 3; buffer++) {
    for (let i = 0; i < N; i++) store<f32>(at(buffer, i), nextValue());
  }
}

/** What the head of update.ts says, element by element. */
function expected(
  x: f32,
  m: f32,
  cond: f32,
  guided: bool,
  withSample: bool,
  q: f32,
  u: f32,
  s: f32,
  b: f32,
  c: f32,
): f32 {
  if (guided) m = m + <f32>2.5 * (cond - m);
  if (s == 0) return b * x + c * m;
  let y: f32 = u * (withSample ? q * m + x : q * m);
  y = s < y ? s : y;
  y = y < -s ? -s : y;
  if (b != 0) y = y + b * x;
  if (c != 0) y = y + c * m;
  return y;
}

/** The number of elements that differ from `expected`, with the sample and without, guided and not. */
function differences(out: i32, s: f32, b: f32, c: f32): i32 {
  let wrong = 0;
  for (let flags = 0; flags < 4; flags++) {
    const guided = (flags & 1) != 0;
    const withSample = (flags & 2) != 0;
    fill();
    const results = new StaticArray<f32>(N);
    for (let i = 0; i < N; i++) {
      const x = load<f32>(at(0, i));
      const m = load<f32>(at(1, i));
      results[i] = expected(x, m, load<f32>(at(2, i)), guided, withSample, -0.75, 1.25, s, b, c);
    }
    update(stage(out), stage(0), stage(1), guided ? stage(2) : 0, N, 2.5, withSample, -0.75, 1.25, s, b, c);
    for (let i = 0; i < N; i++) {
      if (load<f32>(at(out, i)) != results[i]) wrong++;
    }
  }
  return wrong;
}

describe("update", () => {
  it("computes every combination of its terms", () => {
    for (let out = 0; out < 4; out++) {
      expect(differences(out, 0, 0.8, 0.3)).toBe(0, "without a clamp, into buffer " + out.toString());
      expect(differences(out, 0.9, 0.2, 0.3)).toBe(0, "clamped, into buffer " + out.toString());
      expect(differences(out, 0.9, 0, 0.3)).toBe(0, "clamped, without the sample, into buffer " + out.toString());
      expect(differences(out, 0.9, 0.2, 0)).toBe(0, "clamped, without the model output, into buffer " + out.toString());
    }
  });

  it("leaves out the terms whose coefficient is 0", () => {
    fill();
    store<f32>(at(1, 0), Infinity);
    update(stage(4), stage(0), stage(1), 0, N, 0, true, -1, 1, 1, 0.5, 0);
    expect(load<f32>(at(4, 0))).toBe(-1 + <f32>0.5 * load<f32>(at(0, 0)));
  });

  it("is the clamped prediction alone without further terms", () => {
    fill();
    update(stage(4), stage(0), stage(1), 0, N, 0, true, -0.75, 1.25, 0.5, 0, 0);
    for (let i = 0; i < N; i++) {
      const y: f32 = <f32>1.25 * (<f32>-0.75 * load<f32>(at(1, i)) + load<f32>(at(0, i)));
      expect(load<f32>(at(4, i))).toBe(max<f32>(min<f32>(y, 0.5), -0.5));
    }
  });

  it("keeps a NaN a NaN under the clamp", () => {
    fill();
    store<f32>(at(0, 0), NaN);
    store<f32>(at(0, 36), NaN);
    update(stage(4), stage(0), stage(1), 0, N, 0, true, -1, 1, 1, 0, 0.5);
    expect(isNaN(load<f32>(at(4, 0)))).toBe(true);
    expect(isNaN(load<f32>(at(4, 36)))).toBe(true);
    expect(isNaN(load<f32>(at(4, 1)))).toBe(false);
  });
});
