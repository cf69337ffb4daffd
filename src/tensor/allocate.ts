// Tensors inside the module's own memory: kernels work on them where they are, without copies.

import { checkName } from "../checks/checks.js";
import { outOfRange } from "../checks/errors.js";
import { Blocks } from "../module/blocks.js";
import { useInstance } from "../module/default.js";
import type { Instance } from "../module/instance.js";
import { checkDims, sizeOf } from "./dims.js";
import { bytesEach, type DType, DTYPES, type Float32Data, type HalfData } from "./dtype.js";
import { freedError, MARK, type ResidentTensor } from "./resident-tensor.js";

/** The most bytes that a tensor may have. */
const LARGEST = 2 ** 30;

/** The memory of each instance beyond what the module uses itself. */
const blocks = /* @__PURE__ */ new WeakMap<Instance, Blocks>();

function blocksOf(instance: Instance): Blocks {
  let found = blocks.get(instance);
  if (!found) blocks.set(instance, (found = new Blocks(instance.heapBase, instance)));
  return found;
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
    this.#address = blocksOf(instance).allocate(bytes);
    this.#bytes = bytes;
    this.#view = this.#makeView();
    const isFreed = (): boolean => this.#view === null;
    Object.defineProperty(this, MARK, {
      value: {
        instance,
        get isFreed() {
          return isFreed();
        },
      },
    });
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

  get data(): Float32Data | HalfData {
    if (this.#view === null) throw freedError("data", this.dims);
    if (this.#view.buffer !== this.#instance.buffer) this.#view = this.#makeView();
    return this.#view;
  }

  free(): void {
    if (this.#view === null) return;
    this.#view = null;
    blocksOf(this.#instance).free(this.#address, this.#bytes);
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
