// Tensors inside the module's own memory: kernels work on them where they are, without copies.

import { checkName } from "./checks.js";
import { type DType, DTYPES } from "./config.js";
import { useMemory } from "./core.js";
import { checkDims, sizeOf } from "./dims.js";
import { outOfRange } from "./errors.js";
import { give, take } from "./heap.js";

/** The most bytes that a tensor may have. */
const LARGEST = 2 ** 30;

/** Marks resident tensors of every copy of the library, which know only their own classes. */
const MARK = "ddim-wasm.resident";

/** `[Symbol.dispose]`, in the types of those whose library knows it. */
type Dispose = typeof Symbol extends { readonly dispose: infer K extends symbol } ? { [P in K]: () => void } : unknown;

/** What every resident tensor has. */
interface ResidentMembers<D extends Float32Array | Uint16Array> {
  /**
   * The values: a view of the module's memory, made afresh when that has grown. Do not keep it across calls.
   *
   * @throws Error after free()
   */
  readonly data: D;
  readonly dims: readonly number[];
  readonly type: DType;
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

/** A tensor made by {@link allocate}. It has `[Symbol.dispose]` where the engine has. */
export type ResidentTensor<D extends Float32Array | Uint16Array = Float32Array | Uint16Array> = ResidentMembers<D> &
  Dispose;

class Resident implements ResidentMembers<Float32Array | Uint16Array> {
  readonly #address: number;
  readonly #bytes: number;
  #view: Float32Array | Uint16Array | null;
  /** What the view is of. */
  #memory: ArrayBuffer | undefined;
  readonly dims: readonly number[];
  readonly type: DType;

  constructor(dims: readonly number[], type: DType, bytes: number) {
    this.dims = dims;
    this.type = type;
    this.#address = take(bytes);
    this.#bytes = bytes;
    this.#view = this.#makeView();
    Object.defineProperty(this, MARK, { value: true });
    const { dispose } = Symbol as { dispose?: symbol };
    if (dispose) Object.defineProperty(this, dispose, { value: this.free });
  }

  #makeView(): Float32Array | Uint16Array {
    const View = this.type === "float16" ? Uint16Array : Float32Array;
    this.#memory = useMemory();
    return new View(this.#memory, this.#address, this.#bytes / View.BYTES_PER_ELEMENT);
  }

  get data(): Float32Array | Uint16Array {
    if (this.#view === null) throw new Error("this resident tensor has been freed: allocate a new one");
    if (this.#memory !== useMemory()) this.#view = this.#makeView();
    return this.#view;
  }

  free(): void {
    if (this.#view === null) return;
    this.#view = null;
    give(this.#address, this.#bytes);
  }
}

/** Whether `value` was made by `allocate`. */
export function isResidentTensor(value: unknown): value is ResidentTensor {
  return value instanceof Resident;
}

/** Whether `value` was made by `allocate` of another copy of the library. */
export function isForeignResident(value: object): boolean {
  return MARK in value && !isResidentTensor(value);
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
export function allocate(dims: readonly number[], type?: "float32"): ResidentTensor<Float32Array>;
export function allocate(dims: readonly number[], type: "float16"): ResidentTensor<Uint16Array>;
export function allocate(dims: readonly number[], type?: DType): ResidentTensor;
export function allocate(dims: readonly number[], type: DType = "float32"): ResidentTensor {
  const shape = checkDims(dims, "dims");
  checkName("type", type, DTYPES);
  const bytes = sizeOf(shape) * (type === "float16" ? 2 : 4);
  if (bytes > LARGEST) throw outOfRange("dims", `at most ${LARGEST} bytes a tensor`, `${bytes} bytes`);
  return new Resident(Object.freeze(shape), type, bytes) as unknown as ResidentTensor;
}
