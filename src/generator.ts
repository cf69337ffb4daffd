// PyTorch's generator of random numbers on a CPU.

import { type OptionTable, readOptions } from "./checks.js";
import { type DType, DTYPES } from "./config.js";
import { areSameDims, checkDims, sizeOf } from "./dims.js";
import { outOfRange, wrongType } from "./errors.js";
import { draw, type Distribution, type RandomState, seedState, STATE_WORDS } from "./staging.js";
import {
  isHalf,
  newData,
  type PlainTensor,
  readData,
  readDims,
  storedAs,
  type Tensor,
  type TensorData,
  valuesOf,
} from "./tensor.js";

const DEFAULT_SEED = 67280421310721n;

// torch's state in words of 32 bits, and where the parts of ours are in it.
const STATE_BYTES = 5056;
const SEED = 0; // 64 bits
const LEFT = 2;
const SEEDED = 3;
const NEXT = 4;
const MT19937 = 6; // each word in the lower half of 64 bits
const CACHED = 1256; // 64 bits
const HAS_CACHED = 1260;

/** What follows the words of MT19937: where torch has it, and where we do. */
const REST = [
  [NEXT, 624],
  [LEFT, 625],
  [HAS_CACHED, 626],
  [CACHED, 628],
  [CACHED + 1, 629],
] as const;

/** Options of {@link Generator.randn} and {@link Generator.rand}. */
export interface RandomOptions {
  /** Type of the values. Default "float32". */
  type?: DType | undefined;
  /** A tensor to fill in place of a new one. */
  out?: Tensor | undefined;
}

const RANDOM_OPTIONS = { type: ["float32", DTYPES], out: [undefined] } satisfies OptionTable<RandomOptions>;

/**
 * A source of random numbers, with the same bits as `torch.Generator("cpu")` of PyTorch 2.12 and later on x86-64.
 *
 * Only the low 32 bits of a seed matter to the numbers, as in PyTorch. A generator lives in JavaScript's memory and
 * needs no freeing.
 *
 * @example
 * import { Generator } from "ddim-wasm";
 * const generator = new Generator(0);
 * generator.randn([1, 4, 64, 64]).data; // Float32Array of torch.randn(1, 4, 64, 64, generator=torch.Generator().manual_seed(0))
 */
export class Generator {
  /** @internal */
  readonly state: RandomState = new Uint32Array(STATE_WORDS);
  #initialSeed = DEFAULT_SEED;

  /**
   * @param seed an integer in [-2^63, 2^64 - 1]; a number beyond 2^53 must be a bigint. Default 67280421310721, as in PyTorch
   * @throws RangeError for a seed out of bounds, TypeError for anything but a number or a bigint
   */
  constructor(seed: number | bigint = DEFAULT_SEED) {
    this.manualSeed(seed);
  }

  /**
   * Starts again from a seed, as torch.Generator.manual_seed.
   *
   * @param seed as for the constructor
   * @returns the generator
   * @example
   * generator.manualSeed(42).randn([3]).data; // 0.33669037, 0.12880941, 0.23446237
   */
  manualSeed(seed: number | bigint): this {
    this.#initialSeed = checkSeed(seed);
    seedState(this.state, Number(this.#initialSeed & 0xffffffffn));
    return this;
  }

  /**
   * Starts again from a seed taken from the engine's `crypto`.
   *
   * @returns the seed, an integer in [0, 2^64 - 1]
   * @throws Error where the engine has no crypto: give a seed to `manualSeed` there
   * @example
   * const seed = generator.seed(); // to be kept, so that the image can be made again
   */
  seed(): bigint {
    const crypto = (globalThis as { crypto?: { getRandomValues<T>(array: T): T } }).crypto;
    if (typeof crypto?.getRandomValues !== "function") {
      throw new Error("this engine has no crypto to take a seed from: give a seed, as in new Generator(42)");
    }
    const [low, high] = crypto.getRandomValues(new Uint32Array(2));
    this.manualSeed((BigInt(high!) << 32n) | BigInt(low!));
    return this.#initialSeed;
  }

  /** The seed the generator was last started from, an integer in [0, 2^64 - 1]: a negative one in two's complement. */
  get initialSeed(): bigint {
    return this.#initialSeed;
  }

  /**
   * Normal values with mean 0 and deviation 1, as torch.randn on a contiguous tensor.
   *
   * @param dims the shape: integers >= 0, at least one
   * @param options `type`: "float32", or "float16" for binary16 bits in a Uint16Array; `out`: a tensor of that type and
   * size to fill
   * @returns `{ data, dims, type }`, or `out` when that is such an object
   * @throws TypeError or RangeError for a shape, option or `out` that does not fit; the generator stays as it was
   * @example
   * const noise = generator.randn([1, 4, 64, 64]);
   */
  randn(dims: readonly number[], options?: { type?: "float32" | undefined }): PlainTensor<Float32Array>;
  randn<O extends Tensor>(
    dims: readonly number[],
    options: RandomOptions & { out: O },
  ): O extends { dims: unknown } ? O : PlainTensor;
  randn(dims: readonly number[], options?: RandomOptions): PlainTensor;
  randn(dims: readonly number[], options: RandomOptions = {}): unknown {
    return this.#fill("normal", dims, options);
  }

  /**
   * Uniform values in [0, 1), as torch.rand.
   *
   * @param dims the shape: integers >= 0, at least one
   * @param options as for `randn`
   * @returns as `randn`
   * @throws as `randn`
   * @example
   * const mask = generator.rand([1, 1, 64, 64]);
   */
  rand(dims: readonly number[], options?: { type?: "float32" | undefined }): PlainTensor<Float32Array>;
  rand<O extends Tensor>(
    dims: readonly number[],
    options: RandomOptions & { out: O },
  ): O extends { dims: unknown } ? O : PlainTensor;
  rand(dims: readonly number[], options?: RandomOptions): PlainTensor;
  rand(dims: readonly number[], options: RandomOptions = {}): unknown {
    return this.#fill("uniform", dims, options);
  }

  /**
   * Integers in [low, high), as torch.randint.
   *
   * @param low the smallest value, an integer >= -2^31, or a bigint >= -2^63
   * @param high one more than the largest: an integer in (low, 2^31], or a bigint in (low, 2^63]
   * @param dims the shape: integers >= 0, at least one
   * @returns an Int32Array; a BigInt64Array for bigint bounds
   * @throws TypeError or RangeError for bounds or a shape that do not fit
   * @example
   * const timesteps = generator.randint(0, 1000, [4]); // training timesteps
   */
  randint(low: number, high: number, dims: readonly number[]): Int32Array;
  randint(low: bigint, high: bigint, dims: readonly number[]): BigInt64Array;
  randint(low: number | bigint, high: number | bigint, dims: readonly number[]): Int32Array | BigInt64Array {
    const wide = typeof low === "bigint";
    const bits = wide ? 63n : 31n;
    const first = checkBound("low", low, wide, -(1n << bits), (1n << bits) - 1n);
    const range = checkBound("high", high, wide, first + 1n, 1n << bits) - first;
    // Ranges from 2^28 on take 64 random bits a value.
    const wordsEach = range < 1n << 28n ? 1 : 2;
    const drawn = new Float32Array(sizeOf(checkDims(dims, "dims")) * wordsEach);
    draw(this.state, "word", storedAs(drawn));
    const words = Array.from(new Uint32Array(drawn.buffer), BigInt);
    const values = Array.from({ length: words.length / wordsEach }, (_, i) => {
      const word = wordsEach === 1 ? words[i]! : (words[2 * i]! << 32n) | words[2 * i + 1]!;
      return first + (word % range);
    });
    return wide ? BigInt64Array.from(values) : Int32Array.from(values, Number);
  }

  /**
   * The generator's state in torch's own format, so that a generator can move between PyTorch and JavaScript.
   *
   * @returns 5056 bytes, as torch.Generator.get_state
   * @example
   * const state = generator.getState();
   * generator.setState(state); // draws the same numbers again
   */
  getState(): Uint8Array {
    const { state } = this;
    const words = new Uint32Array(STATE_BYTES / 4);
    new BigUint64Array(words.buffer)[SEED] = this.#initialSeed;
    words[SEEDED] = 1;
    for (let i = 0; i < 624; i++) words[MT19937 + 2 * i] = state[i]!;
    for (const [theirs, ours] of REST) words[theirs] = state[ours]!;
    return new Uint8Array(words.buffer);
  }

  /**
   * Takes a state from `getState`, or from torch.Generator.get_state.
   *
   * @param state 5056 bytes
   * @returns the generator
   * @throws TypeError for anything but a Uint8Array, RangeError for one that holds no state; the generator stays as it was
   * @example
   * import { Generator } from "ddim-wasm";
   * const copy = new Generator().setState(generator.getState()); // draws the same numbers as the generator
   */
  setState(state: Uint8Array): this {
    if (Object.prototype.toString.call(state) !== "[object Uint8Array]") {
      throw wrongType("state", `a Uint8Array of ${STATE_BYTES} bytes`, state);
    }
    const bytes = state.byteLength === STATE_BYTES ? new Uint8Array(state) : new Uint8Array(STATE_BYTES);
    const words = new Uint32Array(bytes.buffer);
    if (words[LEFT]! < 1 || words[NEXT]! + words[LEFT]! > 625) {
      throw outOfRange("state", `${STATE_BYTES} bytes as getState returns them`, state);
    }
    this.#initialSeed = new BigUint64Array(words.buffer)[SEED]!;
    for (let i = 0; i < 624; i++) this.state[i] = words[MT19937 + 2 * i]!;
    for (const [theirs, ours] of REST) this.state[ours] = words[theirs]!;
    return this;
  }

  /**
   * A second generator that goes on from here with the same numbers.
   *
   * @example
   * const twin = generator.clone();
   */
  clone(): Generator {
    return new Generator().setState(this.getState());
  }

  #fill(distribution: Distribution, dims: readonly number[], options: RandomOptions): unknown {
    const { type, out } = readOptions("options", options, RANDOM_OPTIONS);
    const shape = checkDims(dims, "dims");
    const length = sizeOf(shape);
    const data = out === undefined ? newData(type, length) : readOut(out, type, shape, length);
    draw(this.state, distribution, storedAs(valuesOf(data)));
    return out !== undefined && !ArrayBuffer.isView(out) ? out : { data, dims: shape, type };
  }
}

function readOut(out: unknown, type: DType, shape: readonly number[], length: number): TensorData {
  const data = readData(out, "out");
  const dims = readDims(out, "out", data.length);
  if (isHalf(data) !== (type === "float16")) throw wrongType("out", `a ${type} tensor, as "type" says`, data);
  if (data.length !== length || (dims && !areSameDims(dims, shape))) {
    throw outOfRange("out", `a tensor of dims [${shape.join(", ")}]`, dims ?? data);
  }
  return data;
}

/** An integer in [least, most]. */
function checkBigInt(name: string, value: unknown, least: bigint, most: bigint, expected: string): bigint {
  if (typeof value !== "number" && typeof value !== "bigint") throw wrongType(name, expected, value);
  if (typeof value === "number" && !Number.isSafeInteger(value)) throw outOfRange(name, expected, value);
  if (value < least || value > most) throw outOfRange(name, expected, value);
  return BigInt(value);
}

function checkSeed(seed: unknown): bigint {
  const expected = "an integer in [-2^63, 2^64 - 1], as a bigint beyond 2^53";
  return BigInt.asUintN(64, checkBigInt("seed", seed, -(1n << 63n), (1n << 64n) - 1n, expected));
}

function checkBound(name: string, value: unknown, wide: boolean, least: bigint, most: bigint): bigint {
  const expected = `an integer in [${least}, ${most}]${wide ? " as a bigint" : ""}`;
  if (typeof value !== (wide ? "bigint" : "number")) throw wrongType(name, expected, value);
  return checkBigInt(name, value, least, most, expected);
}
