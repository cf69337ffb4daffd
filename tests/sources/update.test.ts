// Updates of whole tensors: whatever their place, type, size and batch, as each batch element alone.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { Coefficients } from "../../src/kernels/coefficients.js";
import { seededState } from "../../src/kernels/noise.js";
import { type Formula, type Noise, updateTensor } from "../../src/kernels/update.js";
import type { Instance } from "../../src/module/instance.js";
import { Mixture, setStep } from "../../src/schedule/coefficients.js";
import { type Stored, storedAs } from "../../src/tensor/tensor.js";
import { assertSameBits } from "../tensors.js";
import { blocksOf, instances, newInstance, normalHalves, normals, resident } from "./instances.js";

type Values = Float32Array | Uint16Array;

/** A step of DDIM's kind, with other coefficients for each batch element if `perElement`. */
function formulaOf(changes: Partial<Formula> = {}, first = 0): Formula {
  const coefficients = new Coefficients();
  const mixture = new Mixture();
  return {
    perElement: false,
    guidanceRescale: 0,
    thresholding: null,
    ...changes,
    coefficientsOf(element) {
      const alpha = changes.perElement ? 0.2 + ((first + element) % 7) / 10 : 0.4;
      mixture.set(0.8, 0.1, 0.4, 0.3);
      setStep(coefficients, "v_prediction", alpha, mixture, changes.thresholding ? 1 : 0.9, false);
      return coefficients;
    },
  };
}

const FORMULAS: Record<string, Partial<Formula>> = {
  "one step for all": {},
  "one for each": { perElement: true },
  thresholded: { perElement: true, thresholding: { ratio: 0.9, maxValue: 1.5 } },
};

interface Data {
  sample: Values;
  modelOutput: Values;
  guidance: number | undefined;
}

// Once and for all: views of the module's memory end when it grows.
for (const core of Object.values(instances)) blocksOf(core).free(blocksOf(core).allocate(2 ** 23), 2 ** 23);

/** Runs an update on memory of ours, or on blocks of the module's. */
function update(
  core: Instance,
  data: Data,
  noise: (place: (values: Values) => Stored) => Noise | null,
  formula: Formula,
  batch: number,
  { inside = false, inPlace = false, half = false } = {},
): { prev: Values; x0: Values } {
  const blocks: Stored[] = [];
  const place = (values: Values): Stored => {
    if (!inside) return storedAs(values.slice());
    const stored = resident(core, values);
    blocks.push(stored);
    return stored;
  };
  const empty = () => place(new (data.sample.constructor as typeof Float32Array)(data.sample.length));
  const sample = place(data.sample);
  const inputs = { sample, modelOutput: place(data.modelOutput), guidance: data.guidance };
  const [out, original] = [inPlace ? sample : empty(), empty()];
  updateTensor(core, out, original, inputs, noise(place), formula, batch, half);
  const results = { prev: out.values.slice(), x0: original.values.slice() };
  for (const { values } of blocks) blocksOf(core).free(values.byteOffset, values.byteLength);
  return results;
}

/** The part of an array that belongs to a batch element. */
function elementOf<A extends Values>(values: A, element: number, length: number): A {
  return values.slice(element * length, (element + 1) * length) as A;
}

/** The two halves of a doubled model output, for one batch element. */
function doubledElement(values: Values, element: number, length: number): Values {
  const half = values.length / 2;
  const result = values.slice(0, 2 * length);
  result.set(values.subarray(element * length, (element + 1) * length));
  result.set(values.subarray(half + element * length, half + (element + 1) * length), length);
  return result;
}

const SHAPES = [
  [1, 1],
  [3, 5],
  [40, 7],
  [3, 6000],
  [2, 16_400],
  [2, 20_003],
  [1300, 3],
] as const;

const none = () => null;

for (const [build, core] of Object.entries(instances)) {
  for (const [name, changes] of Object.entries(FORMULAS)) {
    for (const type of ["float32", "float16"] as const) {
      const make: (seed: number, length: number) => Values = type === "float32" ? normals : normalHalves;

      test(`${build}: ${type}, ${name}: a batch is its elements, each alone`, () => {
        for (const [batch, length] of SHAPES) {
          for (const guidance of [undefined, 3]) {
            const rescale = guidance === undefined ? 0 : 0.6;
            const [sample, z] = [make(1, batch * length), make(2, batch * length)];
            const modelOutput = make(3, batch * length * (guidance === undefined ? 1 : 2));
            const formula = formulaOf({ ...changes, perElement: true, guidanceRescale: rescale });
            const data = { sample, modelOutput, guidance };
            const together = update(core, data, (place) => place(z), formula, batch);
            for (let i = 0; i < batch; i += Math.max(1, Math.floor(batch / 5))) {
              const alone = update(
                core,
                {
                  sample: elementOf(sample, i, length),
                  modelOutput:
                    guidance === undefined ? elementOf(modelOutput, i, length) : doubledElement(modelOutput, i, length),
                  guidance,
                },
                (place) => place(elementOf(z, i, length)),
                formulaOf({ ...changes, perElement: true, guidanceRescale: rescale }, i),
                1,
              );
              assertSameBits(elementOf(together.prev, i, length), alone.prev, `prev ${i} of ${batch} x ${length}`);
              assertSameBits(elementOf(together.x0, i, length), alone.x0, `x0 ${i} of ${batch} x ${length}`);
            }
          }
        }
      });

      test(`${build}: ${type}, ${name}: in the module's memory as outside it`, () => {
        for (const [batch, length] of SHAPES) {
          const data = { sample: make(1, batch * length), modelOutput: make(3, batch * length), guidance: undefined };
          const z = make(2, batch * length);
          for (const noise of [none, (place: (values: Values) => Stored) => place(z)]) {
            const outside = update(core, data, noise, formulaOf(changes), batch);
            for (const inPlace of [false, true]) {
              const inside = update(core, data, noise, formulaOf(changes), batch, { inside: true, inPlace });
              assertSameBits(inside.prev, outside.prev, `prev of ${batch} x ${length}`);
              assertSameBits(inside.x0, outside.x0, `x0 of ${batch} x ${length}`);
            }
          }
        }
      });
    }
  }

  test(`${build}: thresholding divides x0 by its quantile, within 1 and the bound`, () => {
    // With v_prediction and a sample of 0, x0 is the model output times a number.
    const scale = -Math.sqrt(1 - 0.4);
    for (const [size, maxValue] of [
      [0.5, 3],
      [2, 3],
      [2, 1.25],
    ] as const) {
      for (const length of [200, 20_001]) {
        const modelOutput = Float32Array.from({ length }, (_, i) => (size * (i % 101)) / 100 / scale);
        const data = { sample: new Float32Array(length), modelOutput, guidance: undefined };
        const { x0 } = update(core, data, none, formulaOf({ thresholding: { ratio: 1, maxValue } }), 1);
        const threshold = Math.min(Math.max(size, 1), maxValue);
        for (let i = 0; i < length; i++) {
          const expected = Math.min((size * (i % 101)) / 100, threshold) / threshold;
          assert.ok(Math.abs(x0[i]! - expected) <= 4 * 2 ** -24, `${i} of ${length}: ${x0[i]} instead of ${expected}`);
        }
      }
    }
  });

  test(`${build}: a generator for each batch element draws for that element alone`, () => {
    for (const [batch, length] of SHAPES) {
      const data = { sample: normals(1, batch * length), modelOutput: normals(3, batch * length), guidance: undefined };
      const states = Array.from({ length: batch }, (_, i) => seededState(core, i));
      const { prev } = update(core, data, () => states, formulaOf({ perElement: true }), batch);
      for (let i = 0; i < batch; i += Math.max(1, Math.floor(batch / 5))) {
        const alone = update(
          core,
          {
            sample: elementOf(data.sample, i, length),
            modelOutput: elementOf(data.modelOutput, i, length),
            guidance: undefined,
          },
          () => [seededState(core, i)],
          formulaOf({ perElement: true }, i),
          1,
        );
        assertSameBits(elementOf(prev, i, length), alone.prev, `${i} of ${batch} x ${length}`);
      }
    }
  });

  test(`${build}: one generator draws for the whole batch, as for a tensor of noise`, () => {
    for (const [batch, length] of SHAPES) {
      const data = { sample: normals(1, batch * length), modelOutput: normals(3, batch * length), guidance: undefined };
      for (const perElement of [false, true]) {
        const drawn = update(core, data, () => [seededState(core, 2)], formulaOf({ perElement }), batch);
        const given = update(
          core,
          data,
          (place) => place(normals(2, batch * length)),
          formulaOf({ perElement }),
          batch,
        );
        assertSameBits(drawn.prev, given.prev, `${batch} x ${length}`);
      }
    }
  });

  test(`${build}: floats treated as halves are rounded to their values`, () => {
    const data = { sample: normals(1, 100), modelOutput: normals(3, 100), guidance: undefined };
    const exact = update(core, data, none, formulaOf(), 1);
    const rounded = update(core, data, none, formulaOf(), 1, { half: true });
    for (const key of ["prev", "x0"] as const) {
      for (let i = 0; i < 100; i++) {
        const [value, half] = [exact[key][i]!, rounded[key][i]!];
        assert.is(half, Math.fround(half));
        assert.ok(Math.abs(half - value) <= 2 ** -11 * Math.abs(value) + 2 ** -25);
        assert.is((half * 2 ** 24) % 1, 0, "a multiple of the least half");
      }
    }
  });

  test(`${build}: an empty tensor is left alone`, () => {
    const empty = storedAs(new Float32Array(0));
    updateTensor(
      core,
      empty,
      null,
      { sample: empty, modelOutput: empty, guidance: undefined },
      null,
      formulaOf(),
      0,
      false,
    );
  });
}

test("two instances in one process do not know of each other", () => {
  const [first, second] = [newInstance("simd"), newInstance("simd")];
  const data = { sample: normals(1, 50), modelOutput: normals(3, 50), guidance: undefined };
  const expected = update(first, data, none, formulaOf(), 1);
  new Uint8Array(second.buffer).fill(0xff, second.exports.stage(0), second.heapBase);
  assertSameBits(update(first, data, none, formulaOf(), 1).prev, expected.prev);
});

test("SIMD and scalar give the same bits", () => {
  for (const changes of Object.values(FORMULAS)) {
    for (const [batch, length] of SHAPES) {
      const data = { sample: normals(1, batch * length), modelOutput: normals(3, 2 * batch * length), guidance: 2.5 };
      const formula = () => formulaOf({ ...changes, guidanceRescale: 0.5, perElement: true });
      const [simd, scalar] = Object.values(instances).map((core) =>
        update(core, data, () => [seededState(core, 1)], formula(), batch),
      );
      assertSameBits(simd!.prev, scalar!.prev, `${batch} x ${length}`);
      assertSameBits(simd!.x0, scalar!.x0, `${batch} x ${length}`);
    }
  }
});

test.run();
