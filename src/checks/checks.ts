// Checks of single values.

import { outOfRange, wrongType } from "./errors.js";

/** Returns the value of the argument called `name`, or throws if it does not fit. */
export type Check<T> = (name: string, value: unknown) => T;

/** Throws a RangeError for a value of the right kind, and a TypeError for any other. */
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
  isWithin(value, Number.MIN_VALUE, Number.MAX_VALUE) ? value : refuse(name, value, "number", "a finite number > 0");

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

/** A function of any kind; what it is called with, its user knows. */
export type Callback = (...args: never[]) => unknown;

export const callback: Check<Callback> = (name, value) =>
  typeof value === "function" ? (value as Callback) : refuse(name, value, "function", "a function");

/** `value` as one of the names of an enum. */
export function checkName<T extends string>(name: string, value: unknown, names: readonly T[]): T {
  if (names.includes(value as T)) return value as T;
  return refuse(name, value, "string", `one of ${names.map((each) => `"${each}"`).join(", ")}`);
}

/** Whether `value` is an object that is no array. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}

/** Whether `value` is an object as literals and JSON.parse make it, of any realm. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** Whether `value` has a length: an array, typed or not. */
export function isArrayLike(value: unknown): value is ArrayLike<unknown> {
  return typeof value === "object" && typeof (value as ArrayLike<unknown> | null)?.length === "number";
}
