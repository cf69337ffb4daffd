import { test } from "uvu";
import * as assert from "uvu/assert";
import { outOfRange, shorten, show, wrongType } from "../../src/checks/errors.js";

const forty = "x".repeat(40);

test("a text of up to 40 characters is whole, a longer one is cut off", () => {
  for (const text of ["", "x", forty]) assert.is(shorten(text), text);
  assert.is(shorten(`${forty}y`), `${forty}…`);
});

test("values are shown as their users would write them", () => {
  const shown: [unknown, string][] = [
    ["text", '"text"'],
    ['"quoted"', String.raw`"\"quoted\""`],
    [`${forty}y`, `"${forty}…"`],
    [1.5, "1.5"],
    [NaN, "NaN"],
    [true, "true"],
    [undefined, "undefined"],
    [null, "null"],
    [12n, "12n"],
    [10n ** 50n, `1${"0".repeat(39)}…n`],
    [Symbol("secret"), "a symbol"],
    [() => 0, "a function"],
    [Map, "a function"],
    [Promise.resolve(), "a promise: await it first"],
    [new Map(), "a Map"],
    [new Set(), "a Set"],
    [{}, "an object"],
    [new Float32Array(3), "Float32Array(3)"],
    [new DataView(new ArrayBuffer(5)), "DataView(5)"],
    [[], "[]"],
    [[1, "two", 3n, null, [4], {}], '[1, "two", 3n, …, …, …]'],
    [[1, 2, 3, 4, 5, 6, 7, 8], "[1, 2, 3, 4, 5, 6, 7, 8]"],
    [[1, 2, 3, 4, 5, 6, 7, 8, 9], "[1, 2, 3, 4, 5, 6, 7, 8, …]"],
  ];
  for (const [value, text] of shown) assert.is(show(value), text);
});

test("showing a value runs none of its code", () => {
  const refuse = (): never => {
    throw new Error("code of the value ran");
  };
  show({ toString: refuse, valueOf: refuse, [Symbol.toPrimitive]: refuse, toJSON: refuse });
  show([{ toString: refuse }]);
});

test("errors name the argument, what it takes and what it got", () => {
  const [type, range] = [wrongType("eta", "a number", "1"), outOfRange("eta", "a number in [0, 1]", 2)];
  assert.instance(type, TypeError);
  assert.is(type.message, '"eta" expected a number, got "1"');
  assert.instance(range, RangeError);
  assert.is(range.message, '"eta" expected a number in [0, 1], got 2');
});

test.run();
