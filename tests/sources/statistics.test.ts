// Quantiles against sorting, deviations against two passes in float64.

import * as fc from "../fast-check.js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Coefficients, storePrediction } from "../../src/kernels/coefficients.js";
import type { Inputs } from "../../src/kernels/inputs.js";
import { deviationRatios, originalQuantiles } from "../../src/kernels/statistics.js";
import type { Instance } from "../../src/module/instance.js";
import { Mixture, setStep } from "../../src/schedule/coefficients.js";
import { storedAs } from "../../src/tensor/tensor.js";
import { blocksOf, instances, normals, resident } from "./instances.js";

/** Inputs whose predicted original sample is `x0` itself. */
function inputsOf(x0: Float32Array): Inputs {
  return { sample: storedAs(new Float32Array(x0.length)), modelOutput: storedAs(x0), guidance: undefined };
}

function quantiles(core: Instance, inputs: Inputs, count: number, length: number, ratio: number): number[] {
  const coefficients = new Coefficients();
  setStep(coefficients, "sample", 0.5, new Mixture(), 1, false);
  for (let i = 0; i < count; i++) storePrediction(core, i, coefficients);
  return Array.from(originalQuantiles(core, inputs, 0, count, length, ratio).slice(0, count));
}

/** The quantile by sorting, interpolated linearly. */
function sortedQuantile(values: Float32Array, ratio: number): number {
  if (values.some(Number.isNaN)) return NaN;
  const sorted = values.map(Math.abs);
  sorted.sort();
  const rank = ratio * (values.length - 1);
  const [low, high] = [sorted[Math.floor(rank)]!, sorted[Math.ceil(rank)]!];
  return low === high ? low : low + (rank - Math.floor(rank)) * (high - low);
}

function assertQuantile(actual: number, values: Float32Array, ratio: number, name: string): void {
  const expected = sortedQuantile(values, ratio);
  const isRight = Object.is(actual, expected) || Math.abs(actual - expected) <= 1e-12 * Math.abs(expected);
  assert.ok(isRight, `${name}: ${actual} instead of ${expected}`);
}

const ratios = [0.001, 0.5, 0.9, 0.995, 1];

/** Bits of finite magnitudes: those of digits that are all ones or all zeros among them. */
const magnitudes = fc.oneof(
  fc.integer({ min: 0, max: 0x7f7fffff }),
  fc.constantFrom(0, 1, 0xff, 0x100, 0x7ff, 0x800, 0xfffff, 0x3fffff, 0x3f7fffff, 0x3f800000, 0x3fffffff, 0x7f7fffff),
  fc.integer({ min: 0, max: 0x3ff }).map((digit) => (digit << 20) | 0xfffff),
  fc.integer({ min: 0x3f7ffff0, max: 0x3f800010 }),
);

function fromBits(bits: readonly number[]): Float32Array {
  const values = new Float32Array(Uint32Array.from(bits).buffer);
  return values.map((value, i) => (i % 2 ? -value : value));
}

for (const [build, core] of Object.entries(instances)) {
  test(`${build}: quantiles of any magnitudes are those of the sorted values`, () => {
    fc.assert(
      fc.property(fc.array(magnitudes, { minLength: 1, maxLength: 300 }), fc.constantFrom(...ratios), (bits, ratio) => {
        const values = fromBits(bits);
        const [actual] = quantiles(core, inputsOf(values), 1, values.length, ratio);
        assertQuantile(actual!, values, ratio, bits.join());
      }),
      { numRuns: 1000 },
    );
  });

  // Small tensors are sorted, larger ones counted by digits of 8 bits, and the largest by digits of 11.
  for (const length of [1, 2, 63, 64, 65, 66, 4095, 4096, 4097, 16_400, 16_401, 40_003]) {
    test(`${build}: quantiles of ${length} values`, () => {
      const data: Record<string, Float32Array> = {
        normal: normals(length, length),
        equal: new Float32Array(length).fill(-1.5),
        "two values": Float32Array.from({ length }, (_, i) => (i % 3 ? 2 : 0.25)),
        "one large": Float32Array.from({ length }, (_, i) => (i === length >> 1 ? 3e38 : 1e-40)),
        "neighbours in bits": fromBits(Array.from({ length }, (_, i) => 0x3f7ff800 + ((i * 7919) % 4096))),
        "last digits": fromBits(Array.from({ length }, (_, i) => (((i * 31) % 1024) << 20) | (0xfffff - (i & 1)))).map(
          (value) => (Number.isFinite(value) ? value : 1),
        ),
        // The median lies between the two, which only their last digits tell apart; the largest value is another.
        "a last digit of all ones": fromBits(
          Array.from({ length }, (_, i) => {
            if (i === 0 && length > 2) return 0x7f000000;
            return i <= Math.ceil(length / 2) ? 0x3f800180 : 0x3f8001ff;
          }),
        ),
        "infinite in part": Float32Array.from({ length }, (_, i) => (i % 50 === 7 ? -Infinity : i)),
        "one NaN": Float32Array.from({ length }, (_, i) => (i === length - 1 ? NaN : i)),
      };
      for (const [name, values] of Object.entries(data)) {
        for (const ratio of ratios) {
          for (const inputs of [inputsOf(values), residentInputs(core, values)]) {
            const [actual] = quantiles(core, inputs, 1, length, ratio);
            assertQuantile(actual!, values, ratio, `${name}, ${ratio}`);
            release(core, inputs);
          }
        }
      }
    });
  }

  test(`${build}: each batch element has its own quantile`, () => {
    for (const [count, length] of [
      [2, 1],
      [7, 5],
      [20, 700],
      [50, 3],
    ] as const) {
      const values = normals(count, count * length).map((value, i) => value * (1 + Math.floor(i / length)));
      const actual = quantiles(core, inputsOf(values), count, length, 0.9);
      for (let i = 0; i < count; i++) {
        assertQuantile(actual[i]!, values.subarray(i * length, (i + 1) * length), 0.9, `${i} of ${count} x ${length}`);
      }
    }
  });

  test(`${build}: the ratio of deviations is that of float64`, () => {
    for (const [count, length] of [
      [1, 1],
      [1, 2],
      [1, 17],
      [5, 33],
      [3, 4000],
      [1, 50_001],
    ] as const) {
      const total = count * length;
      const scaled = normals(total, 2 * total).map((value, i) => value * (1 + (i % 5)) + 3);
      for (const guidance of [1.5, 7]) {
        const inputs = { sample: storedAs(new Float32Array(total)), modelOutput: storedAs(scaled), guidance };
        const actual = deviationRatios(core, inputs, 0, count, length);
        assert.is(actual.length, count);
        for (let element = 0; element < count; element++) {
          const uncond = scaled.subarray(element * length, (element + 1) * length);
          const cond = scaled.subarray(total + element * length, total + (element + 1) * length);
          const guided = Float64Array.from(uncond, (value, i) => value + guidance * (cond[i]! - value));
          const expected = length === 1 ? 1 : deviation(cond) / deviation(guided);
          // The guided values are floats: each is off by a few 2^-24 of the terms it is the sum of.
          const size = Math.max(...Array.from(cond, Math.abs), ...Array.from(uncond, Math.abs)) * (1 + 2 * guidance);
          const bound = length === 1 ? 0 : (4 * 2 ** -24 * size) / deviation(guided);
          assert.ok(Math.abs(actual[element]! / expected - 1) <= bound, `${count} x ${length}: ${actual[element]}`);
        }
      }
    }
  });

  test(`${build}: the ratio is 1 where either side has no deviation`, () => {
    const alike = new Float32Array(40).fill(0.3);
    const inputs = { sample: storedAs(new Float32Array(20)), modelOutput: storedAs(alike), guidance: 3 };
    assert.equal(Array.from(deviationRatios(core, inputs, 0, 2, 10)), [1, 1]);
  });
}

function deviation(values: ArrayLike<number>): number {
  const list = Array.from(values);
  const mean = list.reduce((total, value) => total + value, 0) / list.length;
  return Math.sqrt(list.reduce((total, value) => total + (value - mean) ** 2, 0) / list.length);
}

function residentInputs(core: Instance, x0: Float32Array): Inputs {
  return { ...inputsOf(x0), modelOutput: resident(core, x0) };
}

function release(core: Instance, { modelOutput }: Inputs): void {
  if (modelOutput.resident) blocksOf(core).free(modelOutput.values.byteOffset, modelOutput.values.byteLength);
}

test("SIMD and scalar give the same bits", () => {
  for (const length of [1, 16, 17, 1000, 40_003]) {
    const values = normals(length, 2 * length);
    const inputs = { ...inputsOf(values), guidance: 2.5, sample: storedAs(new Float32Array(length)) };
    const [simd, scalar] = Object.values(instances).map((core) => [
      ...deviationRatios(core, inputs, 0, 1, length),
      ...quantiles(core, inputsOf(values.subarray(0, length)), 1, length, 0.995),
    ]);
    assert.equal(simd, scalar, `${length}`);
  }
});

test.run();
