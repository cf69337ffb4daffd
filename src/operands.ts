// The arguments of a call, read once and checked against one another before anything is computed.

import { type Check, isArrayLike } from "./checks.js";
import type { DType } from "./config.js";
import { outOfRange, show, wrongType } from "./errors.js";
import { Generator } from "./generator.js";
import { isHalf, makeLike, readData, readDims, type TensorData, type Values, valuesOf } from "./tensor.js";

/** A timestep, or one for each batch element. */
export type Timesteps = number | bigint | ArrayLike<number> | ArrayLike<bigint>;

/** A tensor argument as it has been read. */
export interface Operand {
  readonly name: string;
  readonly tensor: unknown;
  readonly data: TensorData;
  readonly values: Values;
  readonly dims: readonly number[] | null;
}

export function readOperand(tensor: unknown, name: string): Operand {
  const data = readData(tensor, name);
  return { name, tensor, data, values: valuesOf(data), dims: readDims(tensor, name, data.length) };
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
    const wanted = sample.dims.map((size, i) => (i === 0 ? size * times : size));
    if (operand.dims.join() !== wanted.join()) throw outOfRange(`${name}.dims`, show(wanted), operand.dims);
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
  const read = (name: string, t: unknown): number => check(name, typeof t === "bigint" ? Number(t) : t);
  if (typeof value === "number" || typeof value === "bigint") {
    const t = read(name, value);
    const all: number[] = [];
    while (all.length < batch) all.push(t);
    return all;
  }
  if (!isArrayLike(value)) throw wrongType(name, "an integer, or an array of one for each batch element", value);
  const list = Array.from(value, (t, i) => read(`${name}[${i}]`, t));
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
 * The values of an input, or a copy of them when `out` overlaps them in such a way that a piece of the result could
 * be stored over a piece that has not been read. Coinciding exactly, with a whole input or with half of a doubled one,
 * is harmless: every piece is read before it is written.
 */
export function apartFrom(out: Values, input: Values): Values {
  for (let start = 0; start < input.length; start += out.length) {
    if (overlapsAskew(out, input, start)) return input.slice();
  }
  return input;
}

function overlapsAskew(out: Values, input: Values, inputStart: number): boolean {
  if (out.buffer !== input.buffer) return false;
  const start = input.byteOffset + inputStart * input.BYTES_PER_ELEMENT;
  if (start === out.byteOffset) return false;
  return start < out.byteOffset + out.byteLength && out.byteOffset < start + out.byteLength;
}
