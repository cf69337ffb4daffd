import { test } from "uvu";
import * as assert from "uvu/assert";
import { blendTensor, firstNotFinite, replaceValues, toFloats } from "../../src/kernels/elementwise.js";
import { storedAs } from "../../src/tensor/tensor.js";
import { halfToNumber, numberToHalf } from "../binary16.js";
import { blocksOf, instances, normalHalves, normals, resident } from "./instances.js";

// Around vectors, and around a piece.
const LENGTHS = [0, 1, 3, 4, 17, 16_367, 16_368, 16_369, 40_001];

for (const [build, core] of Object.entries(instances)) {
  assert.is(core.pieceLength, 16_368);

  test(`${build}: a blend is exactly one side where the weight is 0 or 1, and between the two elsewhere`, () => {
    for (const length of LENGTHS) {
      const [sample, known] = [normals(1, length), normals(2, length)];
      const weight = sample.map((_, i) => [0, 1, 0.25, 0.5][i % 4]!);
      const out = new Float32Array(length);
      blendTensor(core, storedAs(out), storedAs(sample), storedAs(known), storedAs(weight));
      out.forEach((value, i) => {
        const [x, k, w] = [sample[i]!, known[i]!, weight[i]!];
        const mixed = Math.fround(k + Math.fround(w * Math.fround(x - k)));
        assert.is(value, w === 0 ? k : w === 1 ? x : mixed, `${i} of ${length}`);
      });
    }
  });

  test(`${build}: a blend of halves, and one in the place of an input in the module's memory`, () => {
    const length = 20_000;
    const [sample, known] = [normalHalves(1, length), normalHalves(2, length)];
    const weight = new Float32Array(length).fill(0.5);
    const out = new Uint16Array(length);
    blendTensor(core, storedAs(out), storedAs(sample), storedAs(known), storedAs(weight));
    out.forEach((bits, i) => {
      const [x, k] = [halfToNumber(sample[i]!), halfToNumber(known[i]!)];
      assert.is(bits, numberToHalf(Math.fround(k + Math.fround(0.5 * Math.fround(x - k)))));
    });
    const inPlace = resident(core, sample);
    blendTensor(core, inPlace, inPlace, storedAs(known), storedAs(weight));
    assert.equal(inPlace.values.slice(), out);
    blocksOf(core).free(inPlace.values.byteOffset, inPlace.values.byteLength);
  });

  test(`${build}: the first value that is not finite is found wherever it is`, () => {
    for (const length of LENGTHS) {
      assert.is(firstNotFinite(core, storedAs(normals(3, length))), -1);
      for (const place of [0, 1, 5, 16_367, 16_368, length - 1].filter((index) => index >= 0 && index < length)) {
        for (const value of [NaN, Infinity, -Infinity]) {
          const values = normals(3, length);
          values[place] = value;
          // A later one does not count.
          values[length - 1] = value;
          assert.is(firstNotFinite(core, storedAs(values)), place);
          const halves = Uint16Array.from(values, numberToHalf);
          assert.is(firstNotFinite(core, storedAs(halves)), place);
        }
      }
      const largest = new Float32Array(length).fill(3.4028234663852886e38);
      assert.is(firstNotFinite(core, storedAs(largest)), -1);
      assert.is(firstNotFinite(core, storedAs(new Uint16Array(length).fill(0x7bff))), -1);
    }
  });

  test(`${build}: values as floats are copies`, () => {
    for (const length of LENGTHS) {
      const [floats, halves] = [normals(4, length), normalHalves(4, length)];
      const copy = toFloats(core, floats);
      assert.equal(copy, floats);
      assert.is.not(copy.buffer, floats.buffer);
      assert.equal(toFloats(core, halves), Float32Array.from(halves, halfToNumber));
    }
  });

  test(`${build}: functions of more values than a stage holds`, () => {
    for (const length of [1, 2, 8184, 8185, 20_001]) {
      const values = Float64Array.from({ length }, (_, i) => (i * 1.5) / length);
      const [cosines, exponentials] = [values.slice(), values.slice()];
      replaceValues(core, "cosines", cosines);
      replaceValues(core, "exponentials", exponentials);
      values.forEach((value, i) => {
        assert.ok(Math.abs(cosines[i]! - Math.cos(value)) <= 2 ** -52, `cosine of ${value}`);
        assert.ok(Math.abs(exponentials[i]! / Math.exp(value) - 1) <= 2 ** -51, `exponential of ${value}`);
      });
    }
  });
}

test.run();
