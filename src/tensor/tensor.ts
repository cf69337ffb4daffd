// Accepted tensor inputs: a typed array, or an object with data and dims. Each property of an argument is read once,
// before anything is computed.

import { isPlainObject } from "../checks/checks.js";
import { wrongType } from "../checks/errors.js";
import type { Instance } from "../module/instance.js";
import { checkDims, repeatBatch } from "./dims.js";
import { type DType, type Float32Data, type HalfData, isHalf, newValues, type Values } from "./dtype.js";
import { isResidentTensor, refuseUnusable, type ResidentTensor } from "./resident-tensor.js";
import { bufferOf, byteOffsetOf, copyInto, isDetached, kindOf, lengthOf } from "./typed-array.js";

/** Float16Array where the compiler's library knows it. */
export type F16 = typeof globalThis extends { Float16Array: { prototype: infer T } } ? T : never;

/** A new Float16Array. */
type NewF16 = typeof globalThis extends { Float16Array: { of(...items: number[]): infer T } } ? T : never;

/** Values: float32, or float16 as a Float16Array or as raw binary16 bits in a Uint16Array. */
export type TensorData = Float32Array | Uint16Array | F16;

/** A tensor in the form of onnxruntime's and transformers.js' Tensor. `data` is checked when it is used. */
export interface TensorLike {
  /** Its values, as {@link TensorData}. */
  readonly data: ArrayLike<unknown>;
  /** Its shape; the first dimension is the batch. */
  readonly dims: readonly number[];
  /** "float32" or "float16"; where it is missing, the data tell. */
  readonly type?: string;
}

/** Anything taken as a tensor. */
export type Tensor = TensorData | TensorLike;

/** A tensor made by this library. */
export interface PlainTensor<D extends TensorData = Float32Data | HalfData> {
  /** Its values. */
  data: D;
  /** Its shape; the first dimension is the batch. */
  dims: number[];
  /** The type of its values; float16 may lie in a Uint16Array of bits. */
  type: D extends Float32Array ? "float32" : "float16";
}

/** The type of the values that a class of typed arrays holds; undefined where no tensor is made of such. */
function dtypeOfKind(kind: string | undefined): DType | undefined {
  switch (kind) {
    case "Float32Array":
      return "float32";
    case "Uint16Array":
    case "Float16Array":
      return "float16";
    default:
      return undefined;
  }
}

/** Whether `value` looks like a tensor at all. Reads nothing of it. */
export function isTensor(value: unknown): boolean {
  if (ArrayBuffer.isView(value)) return dtypeOfKind(kindOf(value)) !== undefined;
  return typeof value === "object" && value !== null && "dims" in value;
}

/** Values in memory, and what kernels have to know of them. */
export class Stored {
  readonly values: Values;
  readonly length: number;
  readonly half: boolean;
  /** Whether they are in the module's own memory. */
  readonly resident: boolean;

  constructor(values: Values, half: boolean, resident: boolean) {
    this.values = values;
    this.length = lengthOf(values);
    this.half = half;
    this.resident = resident;
  }

  get dtype(): DType {
    return this.half ? "float16" : "float32";
  }
}

/** Memory that the library made itself, as kernels see it. */
export function storedAs(values: Values): Stored {
  return new Stored(values, isHalf(values), false);
}

/** The values of a tensor, in memory of their own. @throws RangeError, naming `name`, where there is none left */
export function copyValues({ values, length, dtype }: Stored, name: string): Values {
  const copy = newValues(dtype, length, name);
  copyInto(copy, values, 0);
  return copy;
}

/** A tensor argument as it has been read. */
export class Operand extends Stored {
  readonly name: string;
  readonly tensor: unknown;
  /** The typed array that holds the values, as its owner sees it. */
  readonly data: TensorData;
  /** null for a bare typed array. */
  readonly dims: readonly number[] | null;

  constructor(
    name: string,
    tensor: unknown,
    data: TensorData,
    dims: readonly number[] | null,
    values: Values,
    half: boolean,
    resident: boolean,
  ) {
    super(values, half, resident);
    this.name = name;
    this.tensor = tensor;
    this.data = data;
    this.dims = dims;
  }
}

/**
 * Reads a tensor argument.
 *
 * @throws TypeError for what is no tensor, is detached, or calls its data what it is not; Error for a freed one
 */
export function readOperand(core: Instance, tensor: unknown, name: string): Operand {
  if (ArrayBuffer.isView(tensor)) return readValues(core, tensor, name, tensor, null);
  if (typeof tensor !== "object" || tensor === null) throw wrongType(name, "a typed array or { data, dims }", tensor);
  refuseUnusable(core, name, tensor);
  const { data, dims, type } = tensor as TensorLike;
  const dtype = dtypeOfKind(kindOf(data));
  if (dtype === undefined) {
    if (typeof (tensor as { then?: unknown }).then !== "function") throw wrongData(`${name}.data`, data);
    throw new TypeError(`"${name}" expected a typed array or { data, dims }, got a promise: await the model first`);
  }
  if (type !== undefined && type !== dtype) throw wrongType(`${name}.type`, `"${dtype}" for its ${kindOf(data)}`, type);
  const length = lengthOf(data);
  if (length === 0) refuseDetached(name, data);
  return readValues(core, tensor, name, data, checkDims(dims, `${name}.dims`, length));
}

function readValues(
  core: Instance,
  tensor: unknown,
  name: string,
  data: unknown,
  dims: readonly number[] | null,
): Operand {
  const kind = kindOf(data);
  const dtype = dtypeOfKind(kind);
  if (dtype === undefined) throw wrongData(name, data);
  const values = kind === "Float16Array" ? bitsOf(data as F16) : (data as Values);
  const offset = byteOffsetOf(values);
  // The offset first: engines are slow to tell a buffer, and make one for a small array that has none.
  const resident = offset >= core.heapBase && bufferOf(values) === core.buffer;
  const operand = new Operand(name, tensor, data as TensorData, dims, values, dtype === "float16", resident);
  if (operand.length === 0) refuseDetached(name, data);
  return operand;
}

function refuseDetached(name: string, data: unknown): void {
  if (!isDetached(data)) return;
  throw new TypeError(
    `"${name}" expected values in memory, got a detached array: its buffer was transferred or resized`,
  );
}

function wrongData(name: string, data: unknown): TypeError {
  return wrongType(name, "a Float32Array, Float16Array or Uint16Array of binary16 bits", data);
}

/** @throws TypeError if reading later arguments has changed how many values an operand has */
export function checkUnchanged(operand: Operand): void {
  if (lengthOf(operand.values) === operand.length) return;
  throw new TypeError(
    `"${operand.name}" expected to keep its ${operand.length} values, got ${lengthOf(operand.values)} once all arguments had been read`,
  );
}

/** The bits of a Float16Array's values. */
function bitsOf(data: F16): Uint16Array {
  return isDetached(data) ? new Uint16Array(0) : new Uint16Array(bufferOf(data), byteOffsetOf(data), lengthOf(data));
}

/** New memory of the class of an operand's data. */
function newDataLike({ data, dtype, name }: Operand, length: number): TensorData {
  if (kindOf(data) !== "Float16Array") return newValues(dtype, length, name);
  const { Float16Array } = globalThis as unknown as { Float16Array: new (length: number) => F16 };
  return new Float16Array(length);
}

/**
 * A new tensor like `operand`: a bare array for a bare array, a plain object for a plain object or a resident tensor,
 * and for any other a tensor of its class, made with (type, data, dims).
 *
 * @param times its batch, in multiples of that of `operand`
 */
export function makeLike(core: Instance, operand: Operand, times = 1): Operand {
  const { name, tensor, dims, half, dtype: type } = operand;
  const data = newDataLike(operand, operand.length * times);
  const values = kindOf(data) === "Float16Array" ? bitsOf(data as F16) : (data as Values);
  if (dims === null) return new Operand(name, data, data, null, values, half, false);
  const shape = repeatBatch(dims, times);
  if (isPlainObject(tensor) || isResidentTensor(tensor as object)) {
    return new Operand(name, { data, dims: shape, type }, data, shape, values, half, false);
  }
  return readOperand(core, construct(tensor as object, type, data, shape, name), name);
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

/** The data of new tensors: arrays that users hold may lie in shared memory, and new ones never do. */
type NewData<D> = D extends Float32Array ? Float32Data : D extends Uint16Array ? HalfData : D extends F16 ? NewF16 : D;

/**
 * What a call returns for a sample of type `S`: the sample's own kind, in new memory; outside the module for a resident
 * tensor.
 */
export type ResultOf<S extends Tensor> = S extends TensorData
  ? NewData<S>
  : S extends ResidentTensor<Values>
    ? PlainTensor<NewData<S["data"]>>
    : S extends PlainTensor<infer D>
      ? PlainTensor<D> extends S
        ? PlainTensor<NewData<D>>
        : S
      : S;
