// The arguments of a call, read once and checked against one another before anything is computed.

import { type Check, isArrayLike } from "./checks.js";
import type { DType } from "./config.js";
import { areSameDims, repeatBatch } from "./dims.js";
import { outOfRange, show, wrongType } from "./errors.js";
import { Generator } from "./generator.js";
import { isHalf, makeLike, readData, readDims, type Stored, storedAs, type TensorData, valuesOf } from "./tensor.js";

/** A timestep, or one for each batch element. */
export type Timesteps = number | bigint | ArrayLike<number> | ArrayLike<bigint>;

/** A tensor argument as it has been read. */
export interface Operand extends Stored {
  readonly name: string;
  readonly tensor: unknown;
  readonly data: TensorData;
  readonly dims: readonly number[] | null;
}

export function readOperand(tensor: unknown, name: string): Operand {
  const data = readData(tensor, name);
  const values = valuesOf(data);
  return { name, tensor, data, values, buffer: values.buffer, dims: readDims(tensor, name, data.length) };
}

function dtypeOf(operand: Operand): DType {
  return isHalf(operand.data) ? "float16" : "float32";
}

/** Reads a tensor that has the type, the length and, where both have them, the dims of `sample`; `times` its batch. */
export function readMatching(tensor: unknown, name: string, sample: Operand, times: 1 | 2 = 1): Operand {
  const operand = readOperand(tensor, name);
  if (dtypeOf(operand) !== dtypeOf(sample)) {
    throw wrongType(name, `${dtypeOf(sample)} data as "${sample.name}" has`, operand.data);
  }
  const length = sample.data.length * times;
  if (operand.data.length !== length) {
    const reason =
      times === 1 ? `as many as "${sample.name}"` : `twice those of "${sample.name}", as guidanceScale is given`;
    throw outOfRange(name, `${length} elements, ${reason}`, operand.data.length);
  }
  if (operand.dims !== null && sample.dims !== null) {
    const wanted = repeatBatch(sample.dims, times);
    if (!areSameDims(operand.dims, wanted)) throw outOfRange(`${name}.dims`, show(wanted), operand.dims);
  }
  return operand;
}

/** The tensor that takes a call's result: `out` if it is given, else a new one like the sample. */
export function readResult(out: unknown, sample: Operand): Operand {
  if (out !== undefined) return readMatching(out, "out", sample);
  return readOperand(makeLike(sample.tensor, sample.data, sample.dims, sample.name), sample.name);
}

/** The number of batch elements: the sample's first dimension, or as many as there are timesteps. */
export function readBatch(sample: Operand, timesteps: unknown): number {
  const batch = sample.dims ? sample.dims[0]! : isArrayLike(timesteps) ? timesteps.length : 1;
  const { length } = sample.data;
  if (batch === 0 ? length > 0 : length % batch > 0) {
    throw outOfRange(sample.name, `a length that ${batch} timesteps divide`, length);
  }
  return batch;
}

/** Reads a timestep, or an array of them: that of each batch element. */
export function readTimesteps(name: string, value: unknown, batch: number, check: Check<number>): readonly number[] {
  if (typeof value === "number" || typeof value === "bigint") {
    return Array<number>(batch).fill(check(name, Number(value)));
  }
  if (!isArrayLike(value)) throw wrongType(name, "an integer, or an array of one for each batch element", value);
  const list = Array.from(value, (t, i) => check(`${name}[${i}]`, typeof t === "bigint" ? Number(t) : t));
  if (list.length === batch) return list;
  throw outOfRange(name, `one timestep, or ${batch}: one for each batch element`, list);
}

/** Reads one generator, or a list of one for each batch element. */
export function readGenerators(generator: unknown, batch: number): readonly Generator[] {
  const generators = Array.from(Array.isArray(generator) ? generator : [generator], (item) => {
    if (item instanceof Generator) return item;
    throw wrongType(
      "generator",
      "a Generator of this copy of ddim-wasm, or an array of one for each batch element",
      item,
    );
  });
  const { length } = generators;
  if (length === 1 || length === batch) return generators;
  throw outOfRange("generator", `one Generator, or ${batch}: one for each batch element`, length);
}

/**
 * An input, or a copy of it when `out` overlaps it in such a way that a piece of the result could be stored over a
 * piece that has not been read. Coinciding exactly, with a whole input or with half of a doubled one, is harmless:
 * every piece is read before it is written.
 */
export function apartFrom(out: Stored, input: Stored): Stored {
  if (out.buffer !== input.buffer) return input;
  const { byteLength, byteOffset } = out.values;
  const end = input.values.byteOffset + input.values.byteLength;
  for (let start = input.values.byteOffset; start < end; start += byteLength) {
    const overlaps = start < byteOffset + byteLength && byteOffset < start + byteLength;
    if (overlaps && start !== byteOffset) return storedAs(input.values.slice());
  }
  return input;
}
