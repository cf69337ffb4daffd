// Integers: seeds, bounds, and torch's random integers.

import { outOfRange, wrongType } from "../checks/errors.js";
import { allocateArray } from "../tensor/dtype.js";

/** torch's integers from random words: the words, one or two of them, modulo the range. */
export function integers(words: Uint32Array, length: number, first: number, range: number): Int32Array {
  const values = new Int32Array(length);
  if (words.length === length) {
    for (let i = 0; i < length; i++) values[i] = first + (words[i]! % range);
    return values;
  }
  for (let i = 0; i < length; i++) {
    // 16 bits of the lower word at a time: range is at most 2^32, and products stay below 2^48.
    const low = words[2 * i + 1]!;
    let rest = words[2 * i]! % range;
    rest = (rest * 0x10000 + (low >>> 16)) % range;
    rest = (rest * 0x10000 + (low & 0xffff)) % range;
    values[i] = first + rest;
  }
  return values;
}

export function wideIntegers(words: Uint32Array, length: number, first: bigint, range: bigint): BigInt64Array {
  const values = allocateArray(BigInt64Array, length, "dims");
  for (let i = 0; i < length; i++) {
    const drawn =
      words.length === length ? BigInt(words[i]!) : (BigInt(words[2 * i]!) << 32n) | BigInt(words[2 * i + 1]!);
    values[i] = first + (drawn % range);
  }
  return values;
}

/** An integer in [least, most]. */
function checkBigInt(name: string, value: unknown, least: bigint, most: bigint, expected: string): bigint {
  if (typeof value !== "number" && typeof value !== "bigint") throw wrongType(name, expected, value);
  if (typeof value === "number" && !Number.isSafeInteger(value)) throw outOfRange(name, expected, value);
  if (value < least || value > most) throw outOfRange(name, expected, value);
  return BigInt(value);
}

export function checkSeed(seed: unknown): bigint {
  const expected = "an integer in [-2^63, 2^64 - 1], as a bigint beyond 2^53";
  return BigInt.asUintN(64, checkBigInt("seed", seed, -(1n << 63n), (1n << 64n) - 1n, expected));
}

export function checkBound(name: string, value: unknown, wide: boolean, least: bigint, most: bigint): bigint {
  const expected = `an integer in [${least}, ${most}]${wide ? " as a bigint" : ""}`;
  if (typeof value !== (wide ? "bigint" : "number")) throw wrongType(name, expected, value);
  return checkBigInt(name, value, least, most, expected);
}
