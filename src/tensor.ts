// What counts as a tensor: a typed array, or an object with data and dims. Each property of an argument is read
// once, before anything is computed.

import type { DType } from "./config.js";
import { outOfRange, show, wrongType } from "./errors.js";

/** Float16Array where the compiler's library knows it. */
export type F16 = typeof globalThis extends { Float16Array: { prototype: infer T } } ? T : never;

/** Values: float32, or float16 as a Float16Array or as raw binary16 bits in a Uint16Array. */
export type TensorData = Float32Array | Uint16Array | F16;

/** A tensor in the form of onnxruntime's and transformers.js' Tensor. `data` is checked when it is used. */
export interface TensorLike {
  readonly data: ArrayLike<unknown>;
  readonly dims: readonly number[];
  readonly type?: string;
}

/** Anything taken as a tensor. */
export type Tensor = TensorData | TensorLike;

/** A tensor made by this library. */
export interface PlainTensor<D extends TensorData = TensorData> {
  data: D;
  dims: number[];
  type: DType;
}

/** The values inside a tensor, after the checks: what the rest of the library works on. */
export type Values = Float32Array | Uint16Array;

const EXPECTED = "a Float32Array or { data, dims }";

const KINDS = ["Float32Array", "Uint16Array", "Float16Array"];

/** Whether `value` looks like a tensor at all. Reads nothing of it. */
export function isTensor(value: unknown): boolean {
  if (ArrayBuffer.isView(value)) return KINDS.includes(kindOf(value)!);
  return typeof value === "object" && value !== null && "dims" in value;
}

/** The values of a tensor. @throws TypeError for anything else. */
export function readValues(tensor: unknown, name: string): Values {
  if (typeof tensor !== "object" || tensor === null) throw wrongType(name, EXPECTED, tensor);
  const bare = ArrayBuffer.isView(tensor);
  const data = bare ? tensor : (tensor as TensorLike).data;
  const label = bare ? name : `${name}.data`;
  const kind = kindOf(data);
  if (kind === "Float32Array") {
    if (!bare) checkType(tensor as TensorLike, name, "float32");
    return data as Float32Array;
  }
  if (kind === "Uint16Array" || kind === "Float16Array") {
    throw wrongType(label, "a Float32Array (float16 is not supported by this version)", data);
  }
  throw wrongType(label, bare ? EXPECTED : "a Float32Array", bare || data !== undefined ? data : tensor);
}

/** The class of a typed array, of any realm. */
function kindOf(data: unknown): string | undefined {
  return ArrayBuffer.isView(data)
    ? (data as unknown as { [Symbol.toStringTag]: string })[Symbol.toStringTag]
    : undefined;
}

function checkType(tensor: TensorLike, name: string, dtype: DType): void {
  const type = tensor.type;
  if (type !== undefined && type !== dtype) throw wrongType(`${name}.type`, `"${dtype}", the type of its data`, type);
}

/** The dimensions of a tensor with `length` values; null for a bare typed array. */
export function readDims(tensor: unknown, name: string, length: number): readonly number[] | null {
  return ArrayBuffer.isView(tensor) ? null : checkDims((tensor as TensorLike).dims, `${name}.dims`, length);
}

/** A copy of `dims`, checked; `length`, when given, is what they multiply to. */
export function checkDims(dims: unknown, name: string, length?: number): number[] {
  if (typeof dims !== "object" || dims === null || typeof (dims as ArrayLike<unknown>).length !== "number") {
    throw wrongType(name, "an array of integers >= 0", dims);
  }
  const copy = Array.from(dims as ArrayLike<number>);
  let product = 1;
  for (const size of copy) {
    if (typeof size !== "number") throw wrongType(name, "an array of integers >= 0", copy);
    if (!Number.isSafeInteger(size) || size < 0) throw outOfRange(name, "an array of integers >= 0", copy);
    product *= size;
  }
  if (copy.length === 0) throw outOfRange(name, "at least one dimension", copy);
  if (!Number.isSafeInteger(product)) throw outOfRange(name, "fewer elements", copy);
  if (length !== undefined && product !== length) {
    throw new RangeError(
      `"${name}" expected dimensions of ${length} elements, the length of the data, got ${show(copy)}`,
    );
  }
  return copy;
}

/** The number of elements that dimensions hold. */
export function sizeOf(dims: readonly number[]): number {
  return dims.reduce((product, size) => product * size, 1);
}

/** New memory for `length` values of the kind that `values` is. */
export function newValues(values: Values, length: number): Values {
  return kindOf(values) === "Uint16Array" ? new Uint16Array(length) : new Float32Array(length);
}

/**
 * New memory in the container of `tensor`: a bare array for a bare array, a plain object for a plain object, and a
 * tensor of its class, made with (type, data, dims), for any other.
 */
export function makeLike(tensor: unknown, data: Values, dims: readonly number[] | null, name: string): unknown {
  if (dims === null) return data;
  const type: DType = "float32";
  const prototype = Object.getPrototypeOf(tensor);
  if (prototype === null || Object.getPrototypeOf(prototype) === null) return { data, dims: [...dims], type };
  const { constructor } = tensor as { constructor: new (type: string, data: Values, dims: number[]) => TensorLike };
  let made: TensorLike | undefined;
  let cause: unknown;
  try {
    made = new constructor(type, data, [...dims]);
  } catch (error) {
    cause = error;
  }
  if (made?.data?.length !== data.length || made.dims?.length !== dims.length) {
    throw new TypeError(`"${name}" expected a tensor whose class is constructed with (type, data, dims)`, { cause });
  }
  return made;
}

/** Whether two arrays share memory other than by being the same stretch of it. */
export function overlapsPartly(out: Values, input: Values, inputStart: number, inputLength: number): boolean {
  if (out.buffer !== input.buffer) return false;
  const start = input.byteOffset + inputStart * input.BYTES_PER_ELEMENT;
  const end = start + inputLength * input.BYTES_PER_ELEMENT;
  if (out.byteOffset >= end || start >= out.byteOffset + out.byteLength) return false;
  return start !== out.byteOffset;
}
