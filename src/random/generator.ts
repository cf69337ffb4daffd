// PyTorch's generator of random numbers on a CPU.

import { outOfRange, wrongType } from "../checks/errors.js";
import { type Entries, OptionTable } from "../checks/options.js";
import { type Distribution, draw, type RandomState, seededState } from "../kernels/noise.js";
import { useInstance } from "../module/default.js";
import { areSameDims, checkDims, sizeOf } from "../tensor/dims.js";
import { allocateArray, type DType, DTYPES, type Float32Data, type HalfData, newValues } from "../tensor/dtype.js";
import {
  type Operand,
  type PlainTensor,
  readOperand,
  storedAs,
  type Tensor,
  type TensorData,
  type TensorLike,
} from "../tensor/tensor.js";
import { kindOf, lengthOf } from "../tensor/typed-array.js";
import { checkBound, checkSeed, integers, wideIntegers } from "./integers.js";
import { exportState, importState, STATE_BYTES } from "./torch-state.js";

const DEFAULT_SEED = 67280421310721n;

/** Options of {@link Generator.randn} and {@link Generator.rand}. */
export interface RandomOptions {
  /** Type of the values. Default "float32", or that of `out`. */
  type?: DType | undefined;
  /** A tensor to fill in place of a new one. */
  out?: Tensor | undefined;
}

const RANDOM_OPTIONS = /* @__PURE__ */ new OptionTable({
  type: [undefined, DTYPES],
  out: [undefined],
} satisfies Entries<RandomOptions>);

/** What a draw returns for `out`: the tensor itself, or one around a bare array. */
export type FilledTensor<O extends Tensor> = O extends TensorData ? PlainTensor<O> : O;

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
  #state!: RandomState;
  #initialSeed = DEFAULT_SEED;

  /**
   * @param seed an integer in [-2^63, 2^64 - 1]; a number beyond 2^53 must be a bigint. Default 67280421310721, as in PyTorch
   * @throws RangeError for a seed out of bounds, TypeError for anything but a number or a bigint
   */
  constructor(seed: number | bigint = DEFAULT_SEED) {
    this.manualSeed(seed);
  }

  /** @internal The state of a generator of this copy of the library; undefined for anything else. */
  static stateOf(value: unknown): RandomState | undefined {
    return typeof value === "object" && value !== null && #state in value ? value.#state : undefined;
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
    const initialSeed = checkSeed(seed);
    this.#state = seededState(useInstance(), Number(initialSeed & 0xffffffffn));
    this.#initialSeed = initialSeed;
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
  randn(dims: readonly number[], options?: { type?: "float32" | undefined; out?: undefined }): PlainTensor<Float32Data>;
  randn(dims: readonly number[], options: { type: "float16"; out?: undefined }): PlainTensor<HalfData>;
  randn<O extends Tensor>(dims: readonly number[], options: RandomOptions & { out: O }): FilledTensor<O>;
  randn(dims: readonly number[], options?: RandomOptions & { out?: undefined }): PlainTensor;
  randn(dims: readonly number[], options: RandomOptions): TensorLike;
  randn(dims: readonly number[], options?: RandomOptions): unknown {
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
  rand(dims: readonly number[], options?: { type?: "float32" | undefined; out?: undefined }): PlainTensor<Float32Data>;
  rand(dims: readonly number[], options: { type: "float16"; out?: undefined }): PlainTensor<HalfData>;
  rand<O extends Tensor>(dims: readonly number[], options: RandomOptions & { out: O }): FilledTensor<O>;
  rand(dims: readonly number[], options?: RandomOptions & { out?: undefined }): PlainTensor;
  rand(dims: readonly number[], options: RandomOptions): TensorLike;
  rand(dims: readonly number[], options?: RandomOptions): unknown {
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
  randint(low: number, high: number, dims: readonly number[]): InstanceType<typeof Int32Array>;
  randint(low: bigint, high: bigint, dims: readonly number[]): InstanceType<typeof BigInt64Array>;
  randint(low: number | bigint, high: number | bigint, dims: readonly number[]): Int32Array | BigInt64Array {
    const wide = typeof low === "bigint";
    const bits = wide ? 63n : 31n;
    const first = checkBound("low", low, wide, -(1n << bits), (1n << bits) - 1n);
    const range = checkBound("high", high, wide, first + 1n, 1n << bits) - first;
    const length = sizeOf(checkDims(dims, "dims"));
    // Ranges from 2^28 on take 64 random bits a value.
    const long = range >= 1n << 28n;
    const words = allocateArray(Uint32Array, long ? 2 * length : length, "dims");
    draw(useInstance(), this.#state, "word", storedAs(new Float32Array(words.buffer)));
    return wide ? wideIntegers(words, length, first, range) : integers(words, length, Number(first), Number(range));
  }

  /**
   * The generator's state in torch's own format, so that a generator can move between PyTorch and JavaScript.
   *
   * @returns 5056 bytes, as torch.Generator.get_state
   * @example
   * const state = generator.getState();
   * generator.setState(state); // draws the same numbers again
   */
  getState(): InstanceType<typeof Uint8Array> {
    return exportState(this.#state, this.#initialSeed);
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
    if (kindOf(state) !== "Uint8Array") throw wrongType("state", `a Uint8Array of ${STATE_BYTES} bytes`, state);
    if (lengthOf(state) !== STATE_BYTES) throw outOfRange("state", `${STATE_BYTES} bytes`, state);
    this.#initialSeed = importState(this.#state, new Uint8Array(state));
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

  #fill(distribution: Distribution, dims: readonly number[], options: RandomOptions | undefined): unknown {
    const { type, out } = RANDOM_OPTIONS.read("options", options);
    const shape = checkDims(dims, "dims");
    if (out !== undefined) {
      const operand = readOut(out, type, shape);
      draw(useInstance(), this.#state, distribution, operand);
      return operand.dims ? out : { data: out, dims: shape, type: operand.dtype };
    }
    const data = newValues(type ?? "float32", sizeOf(shape), "dims");
    draw(useInstance(), this.#state, distribution, storedAs(data));
    return { data, dims: shape, type: type ?? "float32" };
  }
}

/** A new generator, seeded from crypto. @throws Error where the engine has none */
export function seedGenerator(): Generator {
  const generator = new Generator();
  generator.seed();
  return generator;
}

function readOut(out: unknown, type: DType | undefined, shape: readonly number[]): Operand {
  const operand = readOperand(useInstance(), out, "out");
  if (type !== undefined && operand.dtype !== type) {
    throw wrongType("out", `a ${type} tensor, as "type" says`, operand.data);
  }
  if (operand.length !== sizeOf(shape) || (operand.dims && !areSameDims(operand.dims, shape))) {
    throw outOfRange("out", `a tensor of dims [${shape.join(", ")}]`, operand.dims ?? operand.data);
  }
  return operand;
}
