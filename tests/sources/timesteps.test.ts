import * as fc from "../fast-check.js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { checkTimestepList, followerOf, makeTimesteps, type TimestepOptions } from "../../src/schedule/timesteps.js";

const options = (
  numTrainTimesteps: number,
  timestepSpacing: TimestepOptions["timestepSpacing"],
  stepsOffset = 0,
): TimestepOptions => ({ numTrainTimesteps, timestepSpacing, stepsOffset });

const totals = [1, 2, 3, 10, 50, 97, 1000];

/**
 * Fails unless `actual` is the quotient of two integers, rounded. numpy's distance between timesteps is a rounded number:
 * where the quotient is a half, it may come out on either side.
 */
function assertRounded(actual: number, numerator: number, denominator: number, name: string): void {
  const twiceOff = Math.abs(2 * (actual * denominator - numerator));
  assert.ok(twiceOff <= denominator, `${name}: ${actual} instead of ${numerator} / ${denominator}`);
}

test("linspace: multiples of (T - 1) / (N - 1), rounded; 0 alone for one step", () => {
  for (const total of totals) {
    for (let steps = 1; steps <= total; steps++) {
      const actual = makeTimesteps(steps, options(total, "linspace"));
      for (let i = 0; i < steps; i++) {
        assertRounded(
          actual[i]!,
          (total - 1) * (steps - 1 - i),
          Math.max(steps - 1, 1),
          `${i} of ${steps} of ${total}`,
        );
      }
    }
  }
});

test("leading: multiples of floor(T / N) and the offset", () => {
  for (const total of totals) {
    for (let steps = 1; steps <= total; steps++) {
      for (const offset of [0, 1, 5]) {
        const config = options(total, "leading", offset);
        const distance = Math.floor(total / steps);
        const expected = Array.from({ length: steps }, (_, i) => (steps - 1 - i) * distance + offset);
        if (expected[0]! < total) assert.equal(Array.from(makeTimesteps(steps, config)), expected);
        else assert.throws(() => makeTimesteps(steps, config), /"stepsOffset" expected/);
      }
    }
  }
});

test("trailing: T - i T / N, rounded, less 1", () => {
  for (const total of totals) {
    for (let steps = 1; steps <= total; steps++) {
      const actual = makeTimesteps(steps, options(total, "trailing"));
      for (let i = 0; i < steps; i++) {
        assertRounded(actual[i]! + 1, total * (steps - i), steps, `${i} of ${steps} of ${total}`);
      }
    }
  }
});

test("numpy's rounding of halves", () => {
  assert.equal(
    Array.from(makeTimesteps(4, options(6, "trailing"))),
    [5, 3, 2, 1],
    "6, 4.5, 3, 1.5: halves to the even neighbour",
  );
  assert.equal(Array.from(makeTimesteps(3, options(6, "linspace"))), [5, 2, 0], "5, 2.5, 0");
  assert.equal(Array.from(makeTimesteps(3, options(4, "linspace"))), [3, 2, 0], "3, 1.5, 0");
});

for (const steps of [0, -1, 1.5, 11, NaN, Infinity]) {
  test(`${steps} steps of 10 are refused`, () => {
    for (const spacing of ["linspace", "leading", "trailing"] as const) {
      assert.throws(
        () => makeTimesteps(steps, options(10, spacing)),
        (error: unknown) => error instanceof RangeError && error.message.includes("[1, numTrainTimesteps = 10]"),
      );
    }
  });
}

test("steps of another type are refused", () => {
  for (const steps of [undefined, null, "5", 5n, {}]) {
    assert.throws(
      () => makeTimesteps(steps, options(10, "leading")),
      (error: unknown) => error instanceof TypeError,
    );
  }
});

/** A strictly descending list. */
const lists = fc.uniqueArray(fc.nat(2000), { minLength: 1, maxLength: 300 }).map((list) => {
  const sorted = Int32Array.from(list);
  sorted.sort();
  return sorted.reverse();
});

test("followerOf: the next entry, -1 after the last, undefined for others", () => {
  fc.assert(
    fc.property(lists, (list) => {
      for (let t = -1; t <= 2001; t++) {
        const index = list.indexOf(t);
        assert.is(followerOf(list, t), index < 0 ? undefined : (list[index + 1] ?? -1));
      }
    }),
    { numRuns: 100 },
  );
});

test("a list of one's own is copied, whatever holds it", () => {
  fc.assert(
    fc.property(lists, (list) => {
      assert.equal(checkTimestepList(list, 2001), list);
      assert.equal(checkTimestepList(Array.from(list), 2001), list);
      assert.equal(checkTimestepList(BigInt64Array.from(Array.from(list, BigInt)), 2001), list);
      assert.is.not(checkTimestepList(list, 2001), list);
    }),
  );
});

for (const [name, list, place] of [
  ["equal neighbours", [5, 5], "5 at index 1"],
  ["ascending", [1, 2], "2 at index 1"],
  ["T itself", [10, 1], "10 at index 0"],
  ["negative", [3, -1], "-1 at index 1"],
  ["a fraction", [3, 1.5], "1.5 at index 1"],
] as const) {
  test(`a list of timesteps is refused: ${name}`, () => {
    assert.throws(
      () => checkTimestepList(list, 10),
      (error: unknown) => error instanceof RangeError && error.message.includes(place),
    );
  });
}

test("a list is refused that is empty, too long, or holds no numbers", () => {
  assert.throws(() => checkTimestepList([], 10), /"steps" expected .* 1 to 10 of them/);
  assert.throws(() => checkTimestepList(new Int32Array(11), 10), /"steps" expected .* 1 to 10 of them/);
  assert.throws(
    () => checkTimestepList(["5"], 10),
    (error: unknown) => error instanceof TypeError,
  );
});

test.run();
