import { coefficientRecords, stage } from "../../assembly/memory";
import { update } from "../../assembly/update";
import { nextValue, restart } from "./values";

const N: i32 = 37; // vectors and a tail
const FIELDS: i32 = 11;

function at(buffer: i32, i: i32): usize {
  return stage(buffer) + ((<usize>i) << 2);
}

function fill(): void {
  restart();
  for (let buffer = 0; buffer < 6; buffer++) {
    for (let i = 0; i < 3 * N; i++) store<f32>(at(buffer, i), nextValue());
  }
}

/** Writes a record in the order of update.ts. */
function setRecord(index: i32, fields: StaticArray<f32>): void {
  for (let i = 0; i < FIELDS; i++) {
    store<f32>(coefficientRecords() + ((<usize>(index * FIELDS + i)) << 2), fields[i]);
  }
}

/** clamp(u (p x + q m), -s, s) + b x + c m, term by term. */
function combined(x: f32, m: f32, p: f32, q: f32, u: f32, s: f32, b: f32, c: f32): f32 {
  if (s == 0) return b * x + c * m;
  let y: f32 = q * m;
  if (p != 0) y = y + p * x;
  y = u * y;
  y = s < y ? s : y;
  y = y < -s ? -s : y;
  if (b != 0) y = y + b * x;
  if (c != 0) y = y + c * m;
  return y;
}

/** The number of elements of `count` stretches that differ from the formula, guided or not, with noise or without. */
function differences(out: i32, count: i32, p: f32, s: f32, b: f32, c: f32): i32 {
  let wrong = 0;
  for (let flags = 0; flags < 8; flags++) {
    const guided = (flags & 1) != 0;
    const withNoise = (flags & 2) != 0 && out != 3;
    const withOriginal = (flags & 4) != 0 && out != 4;
    fill();
    const total = N * count;
    const results = new StaticArray<f32>(total);
    const originals = new StaticArray<f32>(total);
    for (let record = 0; record < count; record++) {
      // Stretches differ by their factor of the model's output.
      const q: f32 = <f32>-0.75 - <f32>record;
      setRecord(record, [1, q, 1.5, 0.6, p, q, 1.25, s, b, c, 0.35]);
      for (let i = record * N; i < (record + 1) * N; i++) {
        const x = load<f32>(at(0, i));
        let m = load<f32>(at(1, i));
        if (guided) m = m + <f32>2.5 * (load<f32>(at(2, i)) - m);
        results[i] = combined(x, m, p, q, 1.25, s, b, c);
        if (withNoise) results[i] = results[i] + <f32>0.35 * load<f32>(at(3, i));
        originals[i] = combined(x, m, 1, q, 1.5, 0.6, 0, 0);
      }
    }
    const noise = withNoise ? stage(3) : 0;
    const original = withOriginal ? stage(4) : 0;
    update(stage(out), original, stage(0), stage(1), guided ? stage(2) : 0, noise, N, count, 2.5);
    for (let i = 0; i < total; i++) {
      if (load<f32>(at(out, i)) != results[i]) wrong++;
      if (withOriginal && load<f32>(at(4, i)) != originals[i]) wrong++;
    }
  }
  return wrong;
}

describe("update", () => {
  it("computes every combination of its terms", () => {
    for (let out = 0; out < 6; out++) {
      for (let count = 1; count <= 3; count++) {
        const where = count.toString() + " stretches into buffer " + out.toString();
        expect(differences(out, count, 1, 0, 0.8, 0.3)).toBe(0, "without a clamp, " + where);
        expect(differences(out, count, 1, 0.9, 0.2, 0.3)).toBe(0, "clamped, " + where);
        expect(differences(out, count, 0.7, 0.9, 0.2, 0.3)).toBe(0, "with a share of the sample, " + where);
        expect(differences(out, count, 0, 0.9, 0.2, 0.3)).toBe(0, "predicted without the sample, " + where);
        expect(differences(out, count, 1, 0.9, 0, 0.3)).toBe(0, "without the sample, " + where);
        expect(differences(out, count, 1, 0.9, 0.2, 0)).toBe(0, "without the model output, " + where);
        expect(differences(out, count, 1, Infinity, 0, 0.3)).toBe(0, "an infinite bound, " + where);
      }
    }
  });

  it("leaves out the terms whose coefficient is 0", () => {
    fill();
    store<f32>(at(1, 0), Infinity);
    setRecord(0, [0, 0, 0, 0, 1, -1, 1, 1, 0.5, 0, 0]);
    update(stage(4), 0, stage(0), stage(1), 0, 0, N, 1, 0);
    expect(load<f32>(at(4, 0))).toBe(-1 + <f32>0.5 * load<f32>(at(0, 0)));
  });

  it("keeps a NaN a NaN under the clamp", () => {
    fill();
    store<f32>(at(0, 0), NaN);
    store<f32>(at(0, 36), NaN);
    setRecord(0, [0, 0, 0, 0, 1, -1, 1, 1, 0, 0.5, 0]);
    update(stage(4), 0, stage(0), stage(1), 0, 0, N, 1, 0);
    expect(isNaN(load<f32>(at(4, 0)))).toBe(true);
    expect(isNaN(load<f32>(at(4, 36)))).toBe(true);
    expect(isNaN(load<f32>(at(4, 1)))).toBe(false);
  });
});
