import * as fc from "../fast-check.js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Generator } from "../../src/random/generator.js";
import {
  apartFrom,
  elsewhere,
  readBatch,
  readDoubled,
  readGenerators,
  readMatching,
  readResult,
  readTimesteps,
  timestepOf,
} from "../../src/schedulers/operands.js";
import { readOperand, Stored, storedAs } from "../../src/tensor/tensor.js";
import { blocksOf, instances, resident } from "./instances.js";

const core = instances.simd;

const isError =
  (Class: typeof TypeError | typeof RangeError, words: string) =>
  (error: unknown): boolean =>
    error instanceof Class && error.message.includes(words);

const tensor = (dims: number[]) => ({ data: new Float32Array(dims.reduce((a, b) => a * b, 1)), dims });
const operand = (value: unknown, name = "sample") => readOperand(core, value, name);

test("a matching tensor has the type and the length of the sample, and its dims where both have them", () => {
  const sample = operand(tensor([2, 3]));
  for (const fits of [tensor([2, 3]), new Float32Array(6)]) assert.is(readMatching(core, fits, "m", sample).length, 6);
  assert.is(readMatching(core, tensor([3, 2]), "m", operand(new Float32Array(6))).length, 6);
  assert.throws(() => readMatching(core, tensor([3, 2]), "m", sample), isError(RangeError, '"m.dims" expected'));
  assert.throws(() => readMatching(core, tensor([1, 2, 3]), "m", sample), isError(RangeError, '"m.dims" expected'));
  assert.throws(() => readMatching(core, new Float32Array(7), "m", sample), isError(RangeError, '"m" expected 6'));
  assert.throws(() => readMatching(core, new Uint16Array(6), "m", sample), isError(TypeError, '"m" expected float32'));
  const half = operand(new Uint16Array(6));
  assert.throws(() => readMatching(core, new Float32Array(6), "m", half), isError(TypeError, '"m" expected float16'));
});

test("a doubled model output has twice the batch, and dims where the sample has", () => {
  const sample = operand(tensor([2, 3]));
  assert.is(readDoubled(core, tensor([4, 3]), "m", sample, 2).length, 12);
  assert.throws(() => readDoubled(core, tensor([2, 6]), "m", sample, 2), isError(RangeError, '"m.dims" expected'));
  assert.throws(() => readDoubled(core, tensor([2, 3]), "m", sample, 2), isError(RangeError, '"m" expected 12'));
  assert.throws(() => readDoubled(core, new Float32Array(12), "m", sample, 2), isError(TypeError, "dims"));
  const bare = operand(new Float32Array(6));
  assert.is(readDoubled(core, new Float32Array(12), "m", bare, 1).length, 12);
  assert.is(readDoubled(core, tensor([4, 3]), "m", bare, 2).length, 12);
  assert.throws(() => readDoubled(core, tensor([4, 3]), "m", bare, 1), isError(RangeError, '"m.dims[0]" expected 2'));
});

test("a result is out, if it fits, or like the sample", () => {
  const sample = operand(tensor([2, 3]));
  const out = tensor([2, 3]);
  assert.is(readResult(core, out, sample).tensor, out);
  assert.throws(() => readResult(core, tensor([6, 1]), sample), isError(RangeError, '"out.dims" expected'));
  const made = readResult(core, undefined, sample);
  assert.equal(made.dims, [2, 3]);
  assert.is.not(made.data, sample.data);
});

test("the batch: the first dimension, or as many as there are timesteps", () => {
  assert.is(readBatch("t", operand(tensor([3, 2])), 5), 3);
  assert.is(readBatch("t", operand(tensor([0, 2])), [1, 2]), 0);
  const bare = operand(new Float32Array(6));
  assert.is(readBatch("t", bare, 5), 1);
  assert.is(readBatch("t", bare, [1, 2, 3]), 3);
  assert.is(readBatch("t", operand(new Float32Array(0)), []), 0);
  for (const timesteps of [[], [1, 2, 3, 4]]) {
    assert.throws(() => readBatch("t", bare, timesteps), isError(RangeError, '"t" expected'));
  }
});

test("timesteps: a number where all are the same, else one for each", () => {
  assert.is(readTimesteps("t", 5, 3, 0, 9), 5);
  assert.is(readTimesteps("t", 5n, 3, 0, 9), 5);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -1, max: 9 }), { minLength: 1, maxLength: 8 }), (list) => {
      for (const value of [list, Int32Array.from(list), BigInt64Array.from(list, BigInt)]) {
        const timesteps = readTimesteps("t", value, list.length, -1, 9);
        assert.is(typeof timesteps === "number", new Set(list).size === 1);
        list.forEach((t, i) => assert.is(timestepOf(timesteps, i), t));
      }
    }),
  );
  assert.equal(readTimesteps("t", [], 0, 0, 9), []);
});

test("timesteps that do not fit are refused, by their place in a list", () => {
  for (const value of [-1, 10, 1.5, NaN, Infinity, 10n]) {
    assert.throws(() => readTimesteps("t", value, 1, 0, 9), isError(RangeError, '"t" expected an integer in [0, 9]'));
    assert.throws(() => readTimesteps("t", [3, value], 2, 0, 9), isError(RangeError, '"t[1]" expected'));
  }
  for (const value of ["5", null, undefined, {}, true]) {
    assert.throws(() => readTimesteps("t", value, 1, 0, 9), isError(TypeError, '"t" expected an integer, or an array'));
    assert.throws(() => readTimesteps("t", [value], 1, 0, 9), isError(TypeError, '"t[0]" expected'));
  }
  assert.throws(() => readTimesteps("t", [1, 2], 3, 0, 9), isError(RangeError, '"t" expected one timestep, or 3'));
});

test("generators: one, or one for each batch element", () => {
  const [a, b] = [new Generator(1), new Generator(2)];
  assert.equal(readGenerators(a, 2), [a]);
  assert.equal(readGenerators([a], 2), [a]);
  assert.equal(readGenerators([a, b], 2), [a, b]);
  assert.equal(readGenerators([], 0), []);
  for (const [value, batch] of [
    [[], 1],
    [[], 2],
    [[a, b], 1],
    [[a, b, a], 2],
  ] as const) {
    assert.throws(() => readGenerators(value, batch), isError(RangeError, '"generator" expected'));
  }
  const state = Generator.stateOf(a);
  for (const value of [undefined, null, {}, Object.create(Generator.prototype), Object.create(a), state, () => a]) {
    assert.throws(() => readGenerators(value, 1), isError(TypeError, '"generator" expected a Generator'));
    assert.throws(() => readGenerators([a, value], 2), isError(TypeError, '"generator" expected a Generator'));
  }
});

/** Two stretches of one buffer, of elements of 2 or 4 bytes; the input is as long as `out`, or twice as long. */
const stretches = fc.record({
  length: fc.integer({ min: 1, max: 40 }),
  outAt: fc.nat(100),
  inputAt: fc.nat(100),
  doubled: fc.boolean(),
  half: fc.boolean(),
});

const Classes = { float32: Float32Array, float16: Uint16Array };

test("an input is copied where a part of the result could be written over what has not been read, and only there", () => {
  // Resident, or of more than one piece: tensors that are worked on in pieces.
  const offset = core.pieceLength;
  fc.assert(
    fc.property(stretches, ({ length: extra, outAt, inputAt, doubled, half }) => {
      const length = offset + extra;
      const Class = Classes[half ? "float16" : "float32"];
      const whole = new Class(3 * length + 100);
      whole.forEach((_, i) => (whole[i] = i % 1000));
      const out = storedAs(whole.subarray(outAt, outAt + length));
      const size = doubled ? 2 * length : length;
      const input = storedAs(whole.subarray(inputAt, inputAt + size));
      const overlaps = Array.from({ length: size / length }, (_, i) => inputAt + i * length).some(
        (start) => start !== outAt && Math.abs(start - outAt) < length,
      );
      const apart = apartFrom(core, out, input);
      assert.is(apart !== input, overlaps);
      assert.equal(apart.values, input.values);
      assert.is(elsewhere(core, out, input) !== input, overlaps);
      if (!overlaps) return;
      assert.is.not(apart.values.buffer, whole.buffer);
      assert.is(apart.half, half);
      assert.is(apart.resident, false);
    }),
    { numRuns: 100 },
  );
});

test("nothing is copied of what passes through the module in one piece, or lies in another buffer", () => {
  const whole = new Float32Array(100);
  const [out, input] = [storedAs(whole.subarray(0, 50)), storedAs(whole.subarray(1, 51))];
  assert.is(apartFrom(core, out, input), input);
  const far = storedAs(new Float32Array(3 * core.pieceLength));
  const result = storedAs(new Float32Array(3 * core.pieceLength));
  assert.is(apartFrom(core, result, far), far);
  const empty = storedAs(whole.subarray(10, 10));
  assert.is(apartFrom(core, empty, input), input);
});

test("in the module's memory an overlap of any size counts, and what is read late is copied where it coincides", () => {
  const block = resident(
    core,
    Float32Array.from({ length: 64 }, (_, i) => i),
  );
  const values = block.values as Float32Array;
  const part = (start: number, end: number) => new Stored(values.subarray(start, end), false, true);
  const out = part(0, 16);
  const [before, next] = [part(0, 16), part(16, 32)];
  for (const start of [1, 8, 15]) {
    const apart = apartFrom(core, out, part(start, start + 16));
    assert.is(apart.resident, false);
    assert.equal(Array.from(apart.values), Array.from(values.subarray(start, start + 16)));
  }
  for (const input of [part(0, 16), part(16, 32), part(0, 32)]) assert.is(apartFrom(core, out, input), input);
  assert.is(apartFrom(core, next, before), before);
  const same = part(0, 16);
  const copy = elsewhere(core, out, same);
  assert.is(copy.resident, false);
  assert.equal(Array.from(copy.values), Array.from(values.subarray(0, 16)));
  assert.is(elsewhere(core, out, next), next);
  blocksOf(core).free(values.byteOffset, values.byteLength);
});

test.run();
