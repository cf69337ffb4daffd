// What resident tensors are to those that take them. They are made in allocate.ts, which programs without them leave out.

import { wrongType } from "../checks/errors.js";
import type { Instance } from "../module/instance.js";
import type { Float32Data, HalfData, Values } from "./dtype.js";

/** `[Symbol.dispose]`, where the compiler's library declares it. */
type Dispose = {
  [P in typeof Symbol extends { readonly dispose: infer K extends symbol } ? K : never]: () => void;
};

/** A tensor made by {@link allocate}. It has `[Symbol.dispose]` where the engine has. */
export interface ResidentTensor<D extends Values = Float32Data | HalfData> extends Dispose {
  /**
   * The values: a view of the module's memory, made afresh when that has grown. Do not keep it across calls, and do not
   * transfer its buffer, which is the memory of the whole module.
   *
   * @throws Error after free()
   */
  readonly data: D;
  /** Its shape; the first dimension is the batch. */
  readonly dims: readonly number[];
  /** The type of its values; float16 lies in a Uint16Array of bits. */
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

/** Marks the resident tensors of every copy of the library with the instance that they are in. */
export const MARK = "ddim-wasm.resident";

/** What a mark tells of a tensor. */
export interface Marked {
  readonly [MARK]: { readonly instance: Instance; readonly isFreed: boolean };
  readonly dims: readonly number[];
}

/** Whether `value` is a resident tensor, of any copy of the library. */
export function isResidentTensor(value: object): value is Marked {
  return MARK in value;
}

/**
 * @throws Error if the argument `name` is a resident tensor that has been freed; TypeError for one that was made by
 * another copy of the library
 */
export function refuseUnusable(core: Instance, name: string, value: object): void {
  if (!isResidentTensor(value)) return;
  const { instance, isFreed } = value[MARK];
  if (instance !== core) throw wrongType(name, "a resident tensor of this copy of ddim-wasm", "one of another copy");
  if (isFreed) throw freedError(name, value.dims);
}

export function freedError(name: string, dims: readonly number[]): Error {
  return new Error(
    `"${name}" is a resident tensor of dims [${dims.join(", ")}] that has been freed: allocate a new one`,
  );
}
