// What the tests of the public types are given: tensors of other packages, and how types are compared.

import type { DDIMScheduler, Generator, ResidentTensor, StepOptions } from "ddim-wasm";

// What the library makes lies over an ArrayBuffer.
export type Floats = Float32Array<ArrayBuffer>;
export type Halves = Uint16Array<ArrayBuffer>;

/** Whether two types are the same, and not only assignable to one another. */
export type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** Whether two types are assignable to one another, and no `any`: unions may name one type twice. */
export type Alike<A, B> = Same<A, any> extends true ? false : [A, B] extends [B, A] ? true : false;
export declare function check<Truth extends true>(): Truth;

// The shapes of onnxruntime's and transformers.js' tensors, as far as their types can be in the way.
export interface OnnxData {
  float32: Float32Array;
  float16: Uint16Array;
  int64: BigInt64Array;
  string: string[];
}
export interface TypedOnnxTensor<T extends keyof OnnxData> {
  readonly dims: readonly number[];
  readonly type: T;
  readonly data: OnnxData[T];
  readonly location: "none" | "cpu" | "gpu-buffer";
  dispose(): void;
}
export type OnnxTensor = TypedOnnxTensor<keyof OnnxData>;
export declare class TransformersTensor {
  get dims(): number[];
  get type(): string;
  get data(): any[] | Float32Array | Uint16Array | BigInt64Array;
  get size(): number;
  [Symbol.iterator](): Iterator<number>;
}

export declare const scheduler: DDIMScheduler;
export declare const generator: Generator;
export declare const floats: Float32Array;
export declare const halves: Uint16Array;
export declare const plain: { data: Float32Array; dims: number[] };
export declare const frozen: Readonly<{ data: Float32Array; dims: readonly [1, 4, 64, 64]; type: "float32" }>;
export declare const onnx: OnnxTensor;
export declare const onnxFloats: TypedOnnxTensor<"float32">;
export declare const transformers: TransformersTensor;
export declare const resident: ResidentTensor<Floats>;
export declare const declared: StepOptions;
export declare const flag: boolean;
