// The arguments of a call, read once and checked against one another before anything is computed.

import { checkInteger, isArrayLike } from "../checks/checks.js";
import { outOfRange, show, wrongType } from "../checks/errors.js";
import type { Instance } from "../module/instance.js";
import { Generator } from "../random/generator.js";
import { areSameDims, repeatBatch } from "../tensor/dims.js";
import { bytesEach } from "../tensor/dtype.js";
import { copyValues, makeLike, type Operand, readOperand, type Stored, storedAs } from "../tensor/tensor.js";
import { bufferOf, byteOffsetOf } from "../tensor/typed-array.js";

/** A timestep, or one for each batch element. */
export type Timesteps = number | bigint | ArrayLike<number> | ArrayLike<bigint>;

/** Timesteps as they have been read: one number where all batch elements share it. */
export type ReadTimesteps = number | readonly number[];

/** The timestep of a batch element. */
export function timestepOf(timesteps: ReadTimesteps, element: number): number {
  return typeof timesteps === "number" ? timesteps : timesteps[element]!;
}

/** Whether a step to these timesteps is the last one, for all batch elements. */
export function endAll(timesteps: ReadTimesteps): boolean {
  return typeof timesteps === "number" ? timesteps < 0 : timesteps.every((each) => each < 0);
}

/** Reads a tensor that has the type, the length and, where both have them, the dims of `sample`. */
export function readMatching(core: Instance, tensor: unknown, name: string, sample: Operand): Operand {
  const operand = readOperand(core, tensor, name);
  checkType(operand, sample);
  if (operand.length !== sample.length) {
    throw outOfRange(name, `${sample.length} elements, as many as "${sample.name}"`, operand.length);
  }
  checkSameDims(operand, sample, 1);
  return operand;
}

/** Reads a model output with guidance: twice the batch of `sample`, the unconditional half first. */
export function readDoubled(core: Instance, tensor: unknown, name: string, sample: Operand, batch: number): Operand {
  const operand = readOperand(core, tensor, name);
  checkType(operand, sample);
  if (operand.length !== 2 * sample.length) {
    const expected = `${2 * sample.length} elements, twice those of "${sample.name}", as guidanceScale is given`;
    throw outOfRange(name, expected, operand.length);
  }
  if (sample.dims !== null && operand.dims === null) {
    throw wrongType(
      name,
      "a tensor with dims under guidanceScale: a bare array does not tell a doubled batch from doubled channels",
      operand.data,
    );
  }
  if (operand.dims !== null && sample.dims === null && operand.dims[0] !== 2 * batch) {
    throw outOfRange(
      `${name}.dims[0]`,
      `${2 * batch}, twice the number of timesteps, as guidanceScale is given`,
      operand.dims[0],
    );
  }
  checkSameDims(operand, sample, 2);
  return operand;
}

/** Refuses data of another type than the sample's. */
export function checkType(operand: Operand, sample: Operand): void {
  if (operand.half === sample.half) return;
  throw wrongType(operand.name, `${sample.dtype} data as "${sample.name}" has`, operand.data);
}

function checkSameDims(operand: Operand, sample: Operand, times: number): void {
  if (operand.dims === null || sample.dims === null) return;
  const wanted = times === 1 ? sample.dims : repeatBatch(sample.dims, times);
  if (!areSameDims(operand.dims, wanted)) throw outOfRange(`${operand.name}.dims`, show(wanted), operand.dims);
}

/** The tensor that takes a call's result: `out` if it is given, else a new one like the sample. */
export function readResult(core: Instance, out: unknown, sample: Operand): Operand {
  return out === undefined ? makeLike(core, sample) : readMatching(core, out, "out", sample);
}

/** The number of batch elements: the sample's first dimension, or as many as there are timesteps. */
export function readBatch(name: string, sample: Operand, timesteps: unknown): number {
  if (sample.dims !== null) return sample.dims[0]!;
  const batch = isArrayLike(timesteps) ? timesteps.length : 1;
  const { length } = sample;
  if (batch === 0 ? length > 0 : length % batch > 0) {
    throw outOfRange(name, `as many timesteps as divide the ${length} elements of "${sample.name}"`, batch);
  }
  return batch;
}

/** Reads a timestep in [least, most], or an array of one for each batch element. */
export function readTimesteps(name: string, value: unknown, batch: number, least: number, most: number): ReadTimesteps {
  if (typeof value === "number" || typeof value === "bigint") return checkInteger(name, Number(value), least, most);
  if (!isArrayLike(value)) throw wrongType(name, "an integer, or an array of one for each batch element", value);
  if (value.length !== batch) throw outOfRange(name, `one timestep, or ${batch}: one for each batch element`, value);
  const list: number[] = [];
  let areEqual = batch > 0;
  for (let i = 0; i < batch; i++) {
    const item = value[i];
    const t = typeof item === "bigint" ? Number(item) : (item as number);
    // The name is put together only for an error.
    if (!(Number.isInteger(t) && t >= least && t <= most)) checkInteger(`${name}[${i}]`, t, least, most);
    list.push(t);
    areEqual &&= t === list[0];
  }
  return areEqual ? list[0]! : list;
}

/** Reads one generator, or a list of one for each batch element. */
export function readGenerators(generator: unknown, batch: number): readonly Generator[] {
  const list: readonly unknown[] = Array.isArray(generator) ? generator : [generator];
  const { length } = list;
  if (length !== 1 && length !== batch) {
    throw outOfRange("generator", `one Generator, or one for each element, as the batch is ${batch}`, length);
  }
  const expected = "a Generator of this copy of ddim-wasm, or an array of one for each batch element";
  return Array.from({ length }, (_, i) => {
    const item = list[i];
    if (!Generator.stateOf(item)) throw wrongType("generator", expected, item);
    return item as Generator;
  });
}

/**
 * An input, or a copy of it when `out` overlaps it in such a way that a piece of the result could be stored over a
 * piece that has not been read. Coinciding exactly, with a whole input or with half of a doubled one, is harmless:
 * every piece is read before it is written. So is all that passes through the module in one piece.
 */
export function apartFrom(core: Instance, out: Stored, input: Stored): Stored {
  if (out.length <= core.pieceLength && !out.resident) return input;
  if (out.length === 0 || bufferOf(out.values) !== bufferOf(input.values)) return input;
  const bytes = out.length * bytesEach(out.dtype);
  const target = byteOffsetOf(out.values);
  for (let i = 0; i * out.length < input.length; i++) {
    const start = byteOffsetOf(input.values) + i * bytes;
    if (start !== target && start < target + bytes && target < start + bytes) return storedAs(copyValues(input, "out"));
  }
  return input;
}

/** An input, or a copy of it when it coincides with `out` in the module's memory: it is read after that is written. */
export function elsewhere(core: Instance, out: Stored, input: Stored): Stored {
  const coincide = out.resident && input.resident && byteOffsetOf(out.values) === byteOffsetOf(input.values);
  return coincide ? storedAs(copyValues(input, "out")) : apartFrom(core, out, input);
}
