// Facts about typed arrays from the engine itself: a subclass may have its own length or set().

import type { Values } from "./dtype.js";

const prototype = /* @__PURE__ */ Object.getPrototypeOf(Uint8Array.prototype) as object;

function getter<T>(key: PropertyKey): (this: unknown) => T {
  return Object.getOwnPropertyDescriptor(prototype, key)!.get as (this: unknown) => T;
}

const kind = /* @__PURE__ */ getter<string | undefined>(Symbol.toStringTag);
const length = /* @__PURE__ */ getter<number>("length");
const byteOffset = /* @__PURE__ */ getter<number>("byteOffset");
const buffer = /* @__PURE__ */ getter<ArrayBufferLike>("buffer");

/** The class of a typed array of any realm, such as "Float32Array"; undefined for anything else. */
export function kindOf(value: unknown): string | undefined {
  return kind.call(value);
}

/** The number of elements; 0 for an array that is detached or lies beyond the end of its buffer. */
export function lengthOf(array: unknown): number {
  return length.call(array);
}

export function bufferOf(array: unknown): ArrayBufferLike {
  return buffer.call(array);
}

export function byteOffsetOf(array: unknown): number {
  return byteOffset.call(array);
}

/** `length` values of `array` from `start` on, in the same memory. Unlike subarray(), it runs no code of a subclass. */
export function part(array: Values, start: number, length: number): Values {
  const offset = byteOffsetOf(array);
  return kindOf(array) === "Float32Array"
    ? new Float32Array(bufferOf(array), offset + 4 * start, length)
    : new Uint16Array(bufferOf(array), offset + 2 * start, length);
}

/** Stores `source` in `target` from `start` on. Unlike target.set(), it runs no code of a subclass. */
export function copyInto(target: Values, source: ArrayLike<number>, start: number): void {
  Float32Array.prototype.set.call(target as Float32Array, source, start);
}

/** Whether an array's memory is gone: transferred to another thread, or cut off by a resize. */
export function isDetached(array: unknown): boolean {
  try {
    Float32Array.prototype.keys.call(array as Float32Array);
    return false;
  } catch {
    return true;
  }
}
