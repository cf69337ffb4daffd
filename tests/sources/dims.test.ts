import { test } from "uvu";
import * as assert from "uvu/assert";
import { areSameDims, checkDims, repeatBatch, sizeOf } from "../../src/tensor/dims.js";

test("dims are copied from any array", () => {
  for (const dims of [[2, 3], Object.freeze([2, 3]), Int32Array.of(2, 3), { length: 2, 0: 2, 1: 3 }]) {
    const copy = checkDims(dims, "dims");
    assert.equal(copy, [2, 3]);
    assert.is.not(copy, dims);
  }
  const most = [[0], [2 ** 33], [2 ** 60, 0], Array(64).fill(1)];
  for (const dims of most) assert.equal(checkDims(dims, "dims"), dims);
});

test("what are no dims is refused by name", () => {
  const refused: [unknown, typeof TypeError, RegExp][] = [
    [4, TypeError, /^"x.dims" expected an array of integers >= 0, got 4/],
    [undefined, TypeError, /^"x.dims" expected an array of integers >= 0, got undefined/],
    ["4", TypeError, /^"x.dims" expected an array of integers >= 0, got "4"/],
    [[2, "3"], TypeError, /^"x.dims" expected an array of integers >= 0, got \[2, "3"\]/],
    [[2, 3n], TypeError, /^"x.dims" expected an array of integers >= 0/],
    [[], RangeError, /^"x.dims" expected at least one dimension, got \[\]/],
    [Array(65).fill(1), RangeError, /^"x.dims" expected at most 64 dimensions, got 65/],
    [{ length: NaN }, RangeError, /^"x.dims" expected at most 64 dimensions, got NaN/],
    [[-1], RangeError, /^"x.dims" expected an array of integers >= 0, got \[-1\]/],
    [[1.5], RangeError, /^"x.dims" expected an array of integers >= 0/],
    [[NaN, 1], RangeError, /^"x.dims" expected an array of integers >= 0/],
    [[Infinity], RangeError, /^"x.dims" expected an array of integers >= 0/],
    [[2 ** 33 + 1], RangeError, /^"x.dims" expected at most 8589934592 elements/],
    [[2 ** 600, 2 ** 600, 0], RangeError, /^"x.dims" expected at most 8589934592 elements.*NaN elements/],
  ];
  for (const [dims, Class, message] of refused) {
    assert.throws(() => checkDims(dims, "x.dims"), (error: Error) => error.constructor === Class && message.test(error.message), String(message)); // prettier-ignore
  }
});

test("dims have to multiply to the length of their data", () => {
  assert.equal(checkDims([2, 3], "dims", 6), [2, 3]);
  assert.throws(
    () => checkDims([2, 3], "dims", 5),
    /^"dims" expected dimensions of 5 elements, the length of the data, got \[2, 3\]/,
  );
  assert.equal(checkDims([0, 3], "dims", 0), [0, 3]);
});

test("each size is read once", () => {
  let reads = 0;
  const dims = {
    length: 1,
    get 0() {
      return ++reads;
    },
  };
  assert.equal(checkDims(dims, "dims"), [1]);
});

test("sizes, equality and repeated batches", () => {
  assert.equal([sizeOf([]), sizeOf([5]), sizeOf([2, 3, 4]), sizeOf([2, 0])], [1, 5, 24, 0]);
  assert.is(areSameDims([2, 3], [2, 3]), true);
  for (const other of [[3, 2], [2], [2, 3, 1], [2, 4]]) assert.is(areSameDims([2, 3], other), false);
  const dims = Object.freeze([2, 3]);
  assert.equal(
    [repeatBatch(dims, 2), repeatBatch(dims, 1), dims],
    [
      [4, 3],
      [2, 3],
      [2, 3],
    ],
  );
});

test.run();
