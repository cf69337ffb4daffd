// Data for tests, and comparing it bit for bit.

import * as assert from "uvu/assert";
import { implementations } from "./implementations.js";

export type DType = "float32" | "float16";
export type Data = Float32Array | Uint16Array;
/** The data of a type, in memory of its own. */
export type DataOf<T extends DType> = InstanceType<
  T extends "float32" ? typeof Float32Array : T extends "float16" ? typeof Uint16Array : never
>;

/** New memory for `length` values that begin `offset` elements after the start of their buffer. */
export function emptyData<T extends DType = "float32">(length: number, type?: T, offset = 0): DataOf<T> {
  const whole = type === "float16" ? new Uint16Array(length + offset) : new Float32Array(length + offset);
  return whole.subarray(offset) as DataOf<T>;
}

/** `length` normal values from a seed. */
export function normalData<T extends DType = "float32">(seed: number, length: number, type?: T, offset = 0): DataOf<T> {
  const data = emptyData(length, type, offset);
  new implementations.simd.Generator(seed).randn([length], { type, out: data as Data });
  return data;
}

/** `normalData` as a tensor. */
export function normalTensor<T extends DType = "float32">(seed: number, dims: number[], type?: T) {
  const length = dims.reduce((product, size) => product * size, 1);
  return { data: normalData(seed, length, type), dims, type: type ?? ("float32" as T) };
}

/** The bytes that an array shows. */
export function bytesOf({ buffer, byteOffset, byteLength }: NodeJS.TypedArray): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** The bits of the values: of a float32 NaN those of one chosen NaN, since its sign and payload are open. */
function bitsOf(data: Data): Uint32Array | Uint16Array {
  if (data.BYTES_PER_ELEMENT === 2) return new Uint16Array(data.buffer, data.byteOffset, data.length);
  return new Uint32Array(data.buffer, data.byteOffset, data.length).map((bits) =>
    (bits & 0x7fffffff) > 0x7f800000 ? 0x7fc00000 : bits,
  );
}

/** Fails unless both hold the same bits, NaNs of float32 apart, which are all alike. */
export function assertSameBits(actual: Data, expected: Data, name = "result"): void {
  assert.is(actual.BYTES_PER_ELEMENT, expected.BYTES_PER_ELEMENT, `${name}: bytes of an element`);
  assert.is(actual.length, expected.length, `${name}: length`);
  if (Buffer.compare(bytesOf(actual), bytesOf(expected)) === 0) return;
  const actualBits = bitsOf(actual);
  const expectedBits = bitsOf(expected);
  for (let i = 0; i < actualBits.length; i++) {
    if (actualBits[i] !== expectedBits[i]) {
      const hexadecimal = [actualBits[i]!, expectedBits[i]!].map((bits) => `0x${bits.toString(16)}`);
      assert.unreachable(
        `${name}[${i}] of ${actual.length}: ${actual[i]} (${hexadecimal[0]}) instead of ${expected[i]} (${hexadecimal[1]})`,
      );
    }
  }
}
