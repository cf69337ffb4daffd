// Checks of single values, and of options: a table of an options object holds each name, default and check, and its
// type, the values read and the message for an unknown name are derived from it.

import { outOfRange, wrongType } from "./errors.js";

/** Returns the value of the argument called `name`, or throws if it does not fit. */
export type Check<T> = (name: string, value: unknown) => T;

/** Throws: a value of the right kind is out of bounds, and any other of the wrong type. */
export function refuse(name: string, value: unknown, kind: string, expected: string): never {
  throw typeof value === kind ? outOfRange(name, expected, value) : wrongType(name, expected, value);
}

/** Whether `value` is a number in [low, high]. */
function isWithin(value: unknown, low: number, high: number): value is number {
  return typeof value === "number" && value >= low && value <= high;
}

export const finite: Check<number> = (name, value) =>
  isWithin(value, -Number.MAX_VALUE, Number.MAX_VALUE) ? value : refuse(name, value, "number", "a finite number");

export const positive: Check<number> = (name, value) =>
  isWithin(value, Number.MIN_VALUE, Number.MAX_VALUE) ? value : refuse(name, value, "number", "a number > 0");

export const share: Check<number> = (name, value) =>
  isWithin(value, 0, 1) ? value : refuse(name, value, "number", "a number in [0, 1]");

export const positiveShare: Check<number> = (name, value) =>
  isWithin(value, Number.MIN_VALUE, 1) ? value : refuse(name, value, "number", "a number in (0, 1]");

export function checkInteger(name: string, value: unknown, low: number, high = Infinity): number {
  if (isWithin(value, low, high) && Number.isInteger(value)) return value;
  const range = high === Infinity ? `>= ${low}` : low === -Infinity ? `<= ${high}` : `in [${low}, ${high}]`;
  return refuse(name, value, "number", `an integer ${range}`);
}

export const natural: Check<number> = (name, value) => checkInteger(name, value, 0);

export const count: Check<number> = (name, value) => checkInteger(name, value, 1);

export const boolean: Check<boolean> = (name, value) =>
  typeof value === "boolean" ? value : refuse(name, value, "boolean", "a boolean");

export const callback: Check<(...args: any[]) => any> = (name, value) =>
  typeof value === "function" ? (value as () => void) : refuse(name, value, "function", "a function");

/** `value` as one of the names of an enum. */
export function checkName<T extends string>(name: string, value: unknown, names: readonly T[]): T {
  if (names.includes(value as T)) return value as T;
  return refuse(name, value, "string", `one of ${names.map((each) => `"${each}"`).join(", ")}`);
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

/** The defaults of each table that was read with: steps begin with a copy of theirs. */
const defaults = new WeakMap<object, Record<string, unknown>>();

function defaultsOf(table: OptionTable<Record<string, unknown>>): Record<string, unknown> {
  let values = defaults.get(table);
  if (!values)
    defaults.set(table, (values = Object.fromEntries(Object.keys(table).map((key) => [key, table[key]![0]]))));
  return values;
}

/**
 * The values of an options object, each read once.
 *
 * @throws TypeError for what is no object, or has a name that the table has not
 */
export function readOptions<T extends OptionTable<any>>(name: string, options: unknown, table: T): OptionValues<T> {
  if (!isRecord(options)) throw wrongType(name, "an object", options);
  const values = { ...defaultsOf(table) };
  for (const key in options) {
    if (!Object.hasOwn(table, key)) {
      throw new TypeError(`"${name}" has no option "${key}"; it takes ${Object.keys(table).join(", ")}`);
    }
    const value = options[key];
    const check = table[key]![1];
    if (value === undefined) continue;
    values[key] = typeof check === "function" ? check(key, value) : check ? checkName(key, value, check) : value;
  }
  return values as OptionValues<T>;
}
