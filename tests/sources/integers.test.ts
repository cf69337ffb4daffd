import * as fc from "../fast-check.js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { checkBound, checkSeed, integers, wideIntegers } from "../../src/random/integers.js";

const words = fc.array(fc.nat(2 ** 32 - 1), { minLength: 2, maxLength: 20 }).map((list) => list.slice(list.length % 2));

test("a number of one word is the word modulo the range", () => {
  fc.assert(
    fc.property(words, fc.integer({ min: 1, max: 2 ** 28 }), fc.integer(), (list, range, first) => {
      const actual = integers(Uint32Array.from(list), list.length, first, range);
      assert.equal(
        Array.from(actual),
        list.map((word) => (first + (word % range)) | 0),
      );
      const wide = wideIntegers(Uint32Array.from(list), list.length, BigInt(first), BigInt(range));
      assert.equal(
        Array.from(wide),
        list.map((word) => BigInt(first) + BigInt(word % range)),
      );
    }),
    { numRuns: 300 },
  );
});

test("a number of two words is both, the first one above, modulo the range: as with bigints", () => {
  fc.assert(
    fc.property(words, fc.integer({ min: 2 ** 28, max: 2 ** 32 }), (list, range) => {
      const first = -(2 ** 31);
      const length = list.length / 2;
      const pairs = Array.from({ length }, (_, i) => (BigInt(list[2 * i]!) << 32n) | BigInt(list[2 * i + 1]!));
      const expected = pairs.map((pair) => BigInt(first) + (pair % BigInt(range)));
      assert.equal(Array.from(integers(Uint32Array.from(list), length, first, range), BigInt), expected);
      const wide = wideIntegers(Uint32Array.from(list), length, BigInt(first), BigInt(range));
      assert.equal(Array.from(wide), expected);
    }),
    { numRuns: 300 },
  );
});

test("seeds are integers of 64 bits, with or without sign", () => {
  const taken: [number | bigint, bigint][] = [
    [0, 0n],
    [2 ** 53 - 1, 2n ** 53n - 1n],
    [2n ** 64n - 1n, 2n ** 64n - 1n],
    [-1, 2n ** 64n - 1n],
    [-(2n ** 63n), 2n ** 63n],
  ];
  for (const [seed, expected] of taken) assert.is(checkSeed(seed), expected);
  const message = /^"seed" expected an integer in \[-2\^63, 2\^64 - 1\], as a bigint beyond 2\^53, got /;
  for (const seed of [2 ** 53, 1.5, NaN, Infinity, 2n ** 64n, -(2n ** 63n) - 1n]) {
    assert.throws(() => checkSeed(seed), (error: Error) => error instanceof RangeError && message.test(error.message)); // prettier-ignore
  }
  for (const seed of ["1", null, {}, true]) {
    assert.throws(() => checkSeed(seed), (error: Error) => error instanceof TypeError && message.test(error.message)); // prettier-ignore
  }
});

test("bounds are numbers beside numbers, and bigints beside bigints", () => {
  for (const bound of [-5, 0, 7]) {
    assert.is(checkBound("low", bound, false, -5n, 7n), BigInt(bound));
    assert.is(checkBound("low", BigInt(bound), true, -5n, 7n), BigInt(bound));
    assert.throws(() => checkBound("low", bound, true, -5n, 7n), /^"low" expected an integer in \[-5, 7\] as a bigint/);
    assert.throws(
      () => checkBound("low", BigInt(bound), false, -5n, 7n),
      /^"low" expected an integer in \[-5, 7\], got/,
    );
  }
  for (const bound of [-6, 8, 0.5, NaN]) assert.throws(() => checkBound("low", bound, false, -5n, 7n), RangeError);
  for (const bound of [-6n, 8n]) assert.throws(() => checkBound("low", bound, true, -5n, 7n), RangeError);
});

test.run();
