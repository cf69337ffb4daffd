// Tensors inside the module's own memory: kernels work on them where they are, without copies.

import { checkName } from "../checks/checks.js";
import { outOfRange, wrongType } from "../checks/errors.js";
import { useInstance } from "../module/default.js";
import type { Instance } from "../module/instance.js";
import { checkDims, sizeOf } from "./dims.js";
import { bytesEach, type DType, DTYPES, type Float32Data, type HalfData, type Values } from "./dtype.js";

/** The most bytes that a tensor may have. */
const LARGEST = 2 ** 30;

/** Marks resident tensors of every copy of the library, which know only their own classes. */
const MARK = "ddim-wasm.resident";

/** `[Symbol.dispose]`, in the types of those whose library knows it. */
type Dispose = {
  [P in typeof Symbol extends { readonly dispose: infer K extends symbol } ? K : never]: () => void;
};

/** A tensor made by {@link allocate}. It has `[Symbol.dispose]` where the engine has. */
export interface ResidentTensor<D extends Values = Float32Data | HalfData> extends Dispose {
  /**
   * The values: a view of the module's memory, made afresh when that has grown. Do not keep it across calls.
   *
   * @throws Error after free()
   */
  readonly data: D;
  readonly dims: readonly number[];
  readonly type: D extends Float32Array ? "float32" : "float16";
  /**
   * Gives the memory back to the module, for other tensors. A second call does nothing.
   *
   * @example
   * import { allocate } from "ddim-wasm";
   * const mask = allocate([1, 1, 64, 64]);
   * mask.free();
   */
  free(): void;
}

class Resident {
  readonly #instance: Instance;
  readonly #address: number;
  readonly #bytes: number;
  /** null once it is freed. */
  #view: Float32Data | HalfData | null;
  readonly dims: readonly number[];
  readonly type: DType;

  constructor(instance: Instance, dims: readonly number[], type: DType, bytes: number) {
    this.#instance = instance;
    this.dims = dims;
    this.type = type;
    this.#address = instance.blocks.allocate(bytes);
    this.#bytes = bytes;
    this.#view = this.#makeView();
    Object.defineProperty(this, MARK, { value: true });
    const { dispose } = Symbol as { dispose?: symbol };
    if (dispose) Object.defineProperty(this, dispose, { value: this.free });
  }

  #makeView(): Float32Data | HalfData {
    const { buffer } = this.#instance;
    const length = this.#bytes / bytesEach(this.type);
    return this.type === "float16"
      ? new Uint16Array(buffer, this.#address, length)
      : new Float32Array(buffer, this.#address, length);
  }

  get isFreed(): boolean {
    return this.#view === null;
  }

  get data(): Float32Data | HalfData {
    if (this.#view === null) throw freedError("data", this.dims);
    if (this.#view.buffer !== this.#instance.buffer) this.#view = this.#makeView();
    return this.#view;
  }

  free(): void {
    if (this.#view === null) return;
    this.#view = null;
    this.#instance.blocks.free(this.#address, this.#bytes);
  }
}

function freedError(name: string, dims: readonly number[]): Error {
  return new Error(
    `"${name}" is a resident tensor of dims [${dims.join(", ")}] that has been freed: allocate a new one`,
  );
}

/** Whether `value` was made by `allocate`. */
export function isResidentTensor(value: unknown): boolean {
  return value instanceof Resident;
}

/**
 * @throws Error if the argument `name` is a resident tensor that has been freed; TypeError for one that was made by
 * another copy of the library
 */
export function refuseUnusable(name: string, value: object): void {
  if (value instanceof Resident) {
    if (value.isFreed) throw freedError(name, value.dims);
  } else if (MARK in value) {
    throw wrongType(name, "a resident tensor of this copy of ddim-wasm", "one of another copy");
  }
}

/**
 * Makes a tensor inside the module's own memory, filled with zeros.
 *
 * Give it to `step` and the rest as any other tensor: nothing is copied then. It must be freed, with `free()` or, where
 * the engine has `Symbol.dispose`, by a `using` declaration. Freed memory serves further tensors; it is never returned
 * to the system.
 *
 * @param dims the shape: integers >= 0, at least one; at most 1 GiB in all
 * @param type "float32", or "float16" for binary16 bits in a Uint16Array
 * @throws TypeError or RangeError for a shape or type that does not fit; RangeError when memory is exhausted, after
 * which everything else goes on
 * @example
 * import { allocate, Generator } from "ddim-wasm";
 * const sample = allocate([1, 4, 64, 64]);
 * new Generator(42).randn([1, 4, 64, 64], { out: sample });
 * scheduler.step(modelOutput, sample, t, { out: sample });
 * sample.free();
 */
export function allocate(dims: readonly number[], type?: "float32"): ResidentTensor<Float32Data>;
export function allocate(dims: readonly number[], type: "float16"): ResidentTensor<HalfData>;
export function allocate(dims: readonly number[], type?: DType): ResidentTensor;
export function allocate(dims: readonly number[], type: DType = "float32"): ResidentTensor {
  const shape = checkDims(dims, "dims");
  checkName("type", type, DTYPES);
  const bytes = sizeOf(shape) * bytesEach(type);
  if (bytes > LARGEST) throw outOfRange("dims", `at most ${LARGEST} bytes a tensor`, `${bytes} bytes`);
  return new Resident(useInstance(), Object.freeze(shape), type, bytes) as unknown as ResidentTensor;
}
