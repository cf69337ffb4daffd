import { runInNewContext } from "node:vm";
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  boolean,
  callback,
  checkInteger,
  checkName,
  count,
  finite,
  isArrayLike,
  isPlainObject,
  isRecord,
  natural,
  positive,
  positiveShare,
  share,
} from "../../src/checks/checks.js";

const { MAX_VALUE, MIN_VALUE } = Number;
const NO_NUMBERS = ["1", 1n, null, undefined, true, [1], {}];
const NOT_FINITE = [NaN, Infinity, -Infinity];

/** What each check takes, what is out of its bounds, what is of another kind, and how its message ends. */
const CHECKS: Record<
  string,
  [(name: string, value: any) => unknown, taken: unknown[], out: unknown[], wrong: unknown[], string]
> = {
  finite: [finite, [0, -0, 1.5, -MAX_VALUE, MAX_VALUE], NOT_FINITE, NO_NUMBERS, "a finite number"],
  positive: [positive, [MIN_VALUE, 1, MAX_VALUE], [0, -0, -1, ...NOT_FINITE], NO_NUMBERS, "a finite number > 0"],
  share: [share, [0, 0.5, 1], [-MIN_VALUE, 1 + 2 ** -52, ...NOT_FINITE], NO_NUMBERS, "a number in [0, 1]"],
  positiveShare: [positiveShare, [MIN_VALUE, 1], [0, 1 + 2 ** -52, ...NOT_FINITE], NO_NUMBERS, "a number in (0, 1]"],
  natural: [natural, [0, 1, 2 ** 53], [-1, 0.5, ...NOT_FINITE], NO_NUMBERS, "an integer >= 0"],
  count: [count, [1, 2 ** 53], [0, -1, 1.5, ...NOT_FINITE], NO_NUMBERS, "an integer >= 1"],
  "an integer between": [
    (name, value) => checkInteger(name, value, -2, 3),
    [-2, 0, 3],
    [-3, 4, 0.5, NaN],
    NO_NUMBERS,
    "an integer in [-2, 3]",
  ],
  "an integer up to": [
    (name, value) => checkInteger(name, value, -Infinity, 3),
    [-(2 ** 53), 3],
    [4, 2.5, NaN],
    NO_NUMBERS,
    "an integer <= 3",
  ],
  boolean: [boolean, [true, false], [], [0, 1, "true", null, undefined, {}], "a boolean"],
  callback: [callback, [() => 1, Map], [], [null, {}, "f", 1], "a function"],
  "a name": [
    (name, value) => checkName(name, value, ["one", "two"]),
    ["one", "two"],
    ["", "One", "three"],
    [1, null, undefined, ["one"]],
    'one of "one", "two"',
  ],
};

for (const [name, [check, taken, out, wrong, expected]] of Object.entries(CHECKS)) {
  test(`${name}: takes what fits, and tells the rest apart`, () => {
    for (const value of taken) assert.is(check("argument", value), value);
    for (const [values, Class] of [
      [out, RangeError],
      [wrong, TypeError],
    ] as const) {
      for (const value of values) {
        assert.throws(
          () => check("argument", value),
          (error: Error) =>
            error.constructor === Class && error.message.startsWith(`"argument" expected ${expected}, got `),
          `${String(value)}`,
        );
      }
    }
  });
}

test("records are objects that are no arrays", () => {
  for (const value of [{}, Object.create(null), new Map(), new Date()]) assert.is(isRecord(value), true);
  for (const value of [
    null,
    undefined,
    [],
    "text",
    1,
    new Float32Array(1),
    new DataView(new ArrayBuffer(1)),
    () => 1,
  ]) {
    assert.is(isRecord(value), false);
  }
});

test("plain objects are those of literals and of JSON, of any realm", () => {
  for (const value of [{}, Object.create(null), JSON.parse("{}"), runInNewContext("({ a: 1 })")]) {
    assert.is(isPlainObject(value), true);
  }
  for (const value of [
    null,
    undefined,
    1,
    "text",
    [],
    new Map(),
    new Date(),
    Promise.resolve(),
    Object.create({}),
    () => 1,
  ]) {
    assert.is(isPlainObject(value), false);
  }
});

test("what has a length is like an array", () => {
  for (const value of [[], new Float32Array(1), { length: 0 }, { length: NaN }]) assert.is(isArrayLike(value), true);
  for (const value of [null, undefined, "text", 1, {}, { length: "1" }, () => 1, new Map()]) {
    assert.is(isArrayLike(value), false);
  }
});

test.run();
