// Checks of single values, and of options: a table of an options object holds each name, default and check, and its
// type, the values read and the message for an unknown name are derived from it.

import { outOfRange, wrongType } from "./errors.js";

/** Returns the value of the argument called `name`, or throws if it does not fit. */
export type Check<T> = (name: string, value: unknown) => T;

/** `value`, of a kind as `typeof` tells it, and accepted. */
function check<T>(
  name: string,
  value: unknown,
  kind: string,
  expected: string,
  accepts: (value: T) => boolean = () => true,
): T {
  if (typeof value !== kind) throw wrongType(name, expected, value);
  if (!accepts(value as T)) throw outOfRange(name, expected, value);
  return value as T;
}

// Functions, not values made by calling one: what is not used must not stay in a bundle.

export function checkNumber(
  name: string,
  value: unknown,
  expected: string,
  accepts: (value: number) => boolean,
): number {
  return check(name, value, "number", expected, accepts);
}

export const finite: Check<number> = (name, value) => checkNumber(name, value, "a finite number", Number.isFinite);

export const positive: Check<number> = (name, value) =>
  checkNumber(name, value, "a number > 0", (v) => v > 0 && v < Infinity);

export const share: Check<number> = (name, value) =>
  checkNumber(name, value, "a number in [0, 1]", (v) => v >= 0 && v <= 1);

export const positiveShare: Check<number> = (name, value) =>
  checkNumber(name, value, "a number in (0, 1]", (v) => v > 0 && v <= 1);

export function checkInteger(name: string, value: unknown, low: number, high = Infinity): number {
  const range = high === Infinity ? `>= ${low}` : low === -Infinity ? `<= ${high}` : `in [${low}, ${high}]`;
  return checkNumber(name, value, `an integer ${range}`, (v) => Number.isInteger(v) && v >= low && v <= high);
}

export const natural: Check<number> = (name, value) => checkInteger(name, value, 0);

export const count: Check<number> = (name, value) => checkInteger(name, value, 1);

export const boolean: Check<boolean> = (name, value) => check(name, value, "boolean", "a boolean");

export const callback: Check<(...args: any[]) => any> = (name, value) => check(name, value, "function", "a function");

/** `value` as one of the names of an enum. */
export function checkName<T extends string>(name: string, value: unknown, names: readonly T[]): T {
  const expected = `one of ${names.map((each) => `"${each}"`).join(", ")}`;
  return check<T>(name, value, "string", expected, (v) => names.includes(v));
}

/** Whether `value` is an object that can have properties of its own names. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}

/** Whether `value` has a length: an array, typed or not. */
export function isArrayLike(value: unknown): value is ArrayLike<unknown> {
  return typeof value === "object" && typeof (value as ArrayLike<unknown> | null)?.length === "number";
}

/**
 * The default and the check of each option of `O`, or the names that it takes; what has neither is checked where it is
 * used.
 */
export type OptionTable<O> = {
  [K in keyof O]-?: readonly [fallback: unknown, check?: Check<unknown> | readonly string[]];
};

/** The values of a table's options, defaults in their places. */
export type OptionValues<T> = {
  [K in keyof T]: T[K] extends readonly [infer F, infer C]
    ? Extract<F, null | undefined> | (C extends Check<infer V> ? V : C extends readonly (infer N)[] ? N : never)
    : unknown;
};

/** All properties of several objects. */
type Together<T extends readonly object[]> = T extends readonly [infer A, ...infer R extends readonly object[]]
  ? A & Together<R>
  : {};

/**
 * The values of an options object, read once; the tables are those of all its options.
 *
 * @throws TypeError for what is no object, or has a name that no table has
 */
export function readOptions<T extends readonly object[]>(
  name: string,
  options: unknown,
  ...tables: T
): OptionValues<Together<T>> {
  if (!isRecord(options)) throw wrongType(name, "an object", options);
  for (const key in options) {
    if (tables.some((table) => Object.hasOwn(table, key))) continue;
    throw new TypeError(`"${name}" has no option "${key}"; it takes ${tables.flatMap(Object.keys).join(", ")}`);
  }
  const values: Record<string, unknown> = {};
  for (const table of tables as readonly OptionTable<Record<string, unknown>>[]) {
    for (const key in table) {
      const [fallback, check] = table[key]!;
      const value = options[key];
      if (value === undefined) values[key] = fallback;
      else if (typeof check === "function") values[key] = check(key, value);
      else values[key] = check ? checkName(key, value, check) : value;
    }
  }
  return values as OptionValues<Together<T>>;
}
