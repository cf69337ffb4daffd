// What counts as a tensor: a typed array, or an object with data and dims. Each property of an argument is read
// once, before anything is computed.

import type { DType } from "./config.js";
import { checkDims, repeatBatch } from "./dims.js";
import { wrongType } from "./errors.js";
import { isForeignResident, type ResidentTensor, isResidentTensor } from "./resident.js";

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
export interface PlainTensor<D extends TensorData = Float32Array | Uint16Array> {
  data: D;
  dims: number[];
  type: DType;
}

const HALF_KINDS = ["Uint16Array", "Float16Array"];

/** The class of a typed array, of any realm. */
function kindOf(data: unknown): string | undefined {
  return ArrayBuffer.isView(data)
    ? (data as unknown as { [Symbol.toStringTag]: string })[Symbol.toStringTag]
    : undefined;
}

/** Whether `value` looks like a tensor at all. Reads nothing of it. */
export function isTensor(value: unknown): boolean {
  if (ArrayBuffer.isView(value)) return dtypeOf(value) !== undefined;
  return typeof value === "object" && value !== null && "dims" in value;
}

/** The type of the values in a typed array; undefined when no tensor is made of such. */
function dtypeOf(data: unknown): DType | undefined {
  const kind = kindOf(data);
  return kind === "Float32Array" ? "float32" : HALF_KINDS.includes(kind!) ? "float16" : undefined;
}

/** The typed array of a tensor. @throws TypeError for what is no tensor, or calls its data what it is not. */
export function readData(tensor: unknown, name: string): TensorData {
  if (typeof tensor !== "object" || tensor === null) throw wrongType(name, "a typed array or { data, dims }", tensor);
  const bare = ArrayBuffer.isView(tensor);
  if (!bare && isForeignResident(tensor)) {
    throw wrongType(name, "a resident tensor of this copy of ddim-wasm", "one of another copy");
  }
  const data: unknown = bare ? tensor : (tensor as TensorLike).data;
  const dtype = dtypeOf(data);
  if (dtype === undefined) {
    throw wrongType(bare ? name : `${name}.data`, "a Float32Array, Float16Array or Uint16Array of binary16 bits", data);
  }
  if (!bare) {
    const { type } = tensor as TensorLike;
    if (type !== undefined && type !== dtype)
      throw wrongType(`${name}.type`, `"${dtype}" for its ${kindOf(data)}`, type);
  }
  return data as TensorData;
}

/** The dimensions of a tensor with `length` values; null for a bare typed array. */
export function readDims(tensor: unknown, name: string, length: number): readonly number[] | null {
  return ArrayBuffer.isView(tensor) ? null : checkDims((tensor as TensorLike).dims, `${name}.dims`, length);
}

/** What the kernels see of a typed array: floats, or the bits of halves. */
export type Values = Float32Array | Uint16Array;

/** Values, and the buffer they lie in, which engines are slow to tell: it is asked for once. */
export interface Stored {
  readonly values: Values;
  readonly buffer: ArrayBufferLike;
}

export function storedAs(values: Values): Stored {
  return { values, buffer: values.buffer };
}

/** Whether an array holds halves. */
export function isHalf(data: TensorData): boolean {
  return data.BYTES_PER_ELEMENT === 2;
}

/** The values of a typed array in the form that the kernels see. */
export function valuesOf(data: TensorData): Values {
  if (kindOf(data) !== "Float16Array") return data as Values;
  const { buffer, byteOffset, length } = data as Uint16Array;
  return new Uint16Array(buffer, byteOffset, length);
}

/** New memory for `length` values of a type; halves are bits in a Uint16Array. */
export function newData(dtype: DType, length: number): Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer> {
  return dtype === "float16" ? new Uint16Array(length) : new Float32Array(length);
}

/** New memory of the class of `data`. */
function newDataLike(data: TensorData, length: number): TensorData {
  if (kindOf(data) !== "Float16Array") return newData(isHalf(data) ? "float16" : "float32", length);
  const { Float16Array } = globalThis as unknown as { Float16Array: new (length: number) => F16 };
  return new Float16Array(length);
}

/**
 * A new tensor like `tensor`, whose data and dims have been read: a bare array for a bare array, a plain object for a
 * plain object or a resident tensor, and for any other a tensor of its class, made with (type, data, dims).
 *
 * @param times its batch, in multiples of that of `tensor`
 */
export function makeLike(
  tensor: unknown,
  data: TensorData,
  dims: readonly number[] | null,
  name: string,
  times = 1,
): Tensor {
  const made = newDataLike(data, data.length * times);
  if (dims === null) return made;
  const type: DType = isHalf(data) ? "float16" : "float32";
  const shape = repeatBatch(dims, times);
  const prototype = Object.getPrototypeOf(tensor);
  const plain = prototype === null || Object.getPrototypeOf(prototype) === null;
  if (plain || isResidentTensor(tensor)) return { data: made, dims: shape, type };
  return construct(tensor as object, type, made, shape, name);
}

/** A tensor of the class of `tensor`: onnxruntime's and transformers.js' are constructed alike. */
function construct(tensor: object, type: DType, data: TensorData, dims: number[], name: string): Tensor {
  let made: Partial<TensorLike> | undefined;
  let cause: unknown;
  try {
    made = new (tensor.constructor as new (type: DType, data: TensorData, dims: number[]) => TensorLike)(
      type,
      data,
      dims,
    );
  } catch (error) {
    cause = error;
  }
  if (made?.data?.length !== data.length || made.dims?.length !== dims.length) {
    throw new TypeError(`"${name}" expected a tensor of a class that is constructed with (type, data, dims)`, {
      cause,
    });
  }
  return made as TensorLike;
}

/** What a call returns for a sample of type `S`: the sample's own kind; outside the module for a resident tensor. */
export type ResultOf<S extends Tensor> = S extends ResidentTensor ? PlainTensor<S["data"]> : S;
