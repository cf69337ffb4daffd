// The arguments of a call, read once and checked against one another before anything is computed.

import type { DType } from "./config.js";
import { outOfRange, show, wrongType } from "./errors.js";
import { Generator } from "./generator.js";
import type { RandomState } from "./staging.js";
import { isHalf, makeLike, readData, readDims, type Tensor, type TensorData, type Values, valuesOf } from "./tensor.js";

/** A timestep, or one for each batch element. */
export type Timesteps = number | bigint | ArrayLike<number> | ArrayLike<bigint>;

/** Timesteps as they have been read. */
export type ReadTimesteps = number | readonly number[];

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
export function readResult(out: Tensor | undefined, sample: Operand): Operand {
  if (out !== undefined) return readMatching(out, "out", sample);
  return readOperand(makeLike(sample.tensor, sample.data, sample.dims, sample.name), sample.name);
}

/** Reads an integer, or an array of them, in [low, high]. */
export function readTimesteps(name: string, value: unknown, low: number, high: number): ReadTimesteps {
  if (typeof value === "number" || typeof value === "bigint") return checkTimestep(name, value, low, high);
  if (typeof value !== "object" || value === null || typeof (value as ArrayLike<unknown>).length !== "number") {
    throw wrongType(name, "an integer, or an array of one for each batch element", value);
  }
  return Array.from(value as ArrayLike<unknown>, (item, i) => checkTimestep(`${name}[${i}]`, item, low, high));
}

function checkTimestep(name: string, value: unknown, low: number, high: number): number {
  const expected = low === 0 ? `an integer in [0, ${high}]` : `an integer <= ${high}`;
  const t = typeof value === "bigint" ? Number(value) : value;
  if (typeof t !== "number") throw wrongType(name, expected, value);
  if (!Number.isInteger(t) || t < low || t > high) throw outOfRange(name, expected, value);
  return t;
}

/** The number of batch elements: the sample's first dimension, or as many as there are timesteps. */
export function readBatch(sample: Operand, name: string, timesteps: ReadTimesteps): number {
  const batch = sample.dims ? sample.dims[0]! : typeof timesteps === "number" ? 1 : timesteps.length;
  checkBatch(name, timesteps, batch);
  const { length } = sample.data;
  if (batch === 0 ? length > 0 : length % batch > 0) {
    throw outOfRange(sample.name, `a length that ${batch} timesteps divide`, length);
  }
  return batch;
}

/** Refuses a list of timesteps that has not one for each batch element. */
export function checkBatch(name: string, timesteps: ReadTimesteps, batch: number): void {
  if (typeof timesteps !== "number" && timesteps.length !== batch) {
    throw outOfRange(name, `one timestep, or ${batch}: one for each batch element`, timesteps);
  }
}

/** The timestep of a batch element. */
export function timestepOf(timesteps: ReadTimesteps, element: number): number {
  return typeof timesteps === "number" ? timesteps : timesteps[element]!;
}

/** Reads one generator, or a list of one for each batch element. */
export function readGenerators(generator: unknown, batch: number): readonly RandomState[] {
  const expected = "a Generator of this copy of ddim-wasm, or an array of one for each batch element";
  const states = Array.from(Array.isArray(generator) ? generator : [generator], (item) => {
    if (!(item instanceof Generator)) throw wrongType("generator", expected, item);
    return item.state;
  });
  if (states.length !== 1 && states.length !== batch) {
    throw outOfRange("generator", `one Generator, or ${batch}: one for each batch element`, states.length);
  }
  return states;
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
