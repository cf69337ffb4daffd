// The public types, checked by the compiler alone: nothing here runs. Each line marked with @ts-expect-error is a
// mistake that the compiler has to find.

import {
  allocate,
  DDIMInverseScheduler,
  DDIMScheduler,
  type DDIMSchedulerConfig,
  type DDIMSchedulerOptions,
  Generator,
  init,
  type PlainTensor,
  type ResidentTensor,
  type StepOptions,
  type StepResult,
  type Tensor,
} from "ddim-wasm";

// What the library makes lies over an ArrayBuffer.
type Floats = Float32Array<ArrayBuffer>;
type Halves = Uint16Array<ArrayBuffer>;

/** Whether two types are the same, and not only assignable to one another. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare function check<Truth extends true>(): Truth;

// The shapes of onnxruntime's and transformers.js' tensors, as far as their types can be in the way.
interface OnnxData {
  float32: Float32Array;
  float16: Uint16Array;
  int64: BigInt64Array;
  string: string[];
}
interface TypedOnnxTensor<T extends keyof OnnxData> {
  readonly dims: readonly number[];
  readonly type: T;
  readonly data: OnnxData[T];
  readonly location: "none" | "cpu" | "gpu-buffer";
  dispose(): void;
}
type OnnxTensor = TypedOnnxTensor<keyof OnnxData>;
declare class TransformersTensor {
  get dims(): number[];
  get type(): string;
  get data(): any[] | Float32Array | Uint16Array | BigInt64Array;
  get size(): number;
  [Symbol.iterator](): Iterator<number>;
}

declare const scheduler: DDIMScheduler;
declare const generator: Generator;
declare const floats: Float32Array;
declare const halves: Uint16Array;
declare const plain: { data: Float32Array; dims: number[] };
declare const frozen: Readonly<{ data: Float32Array; dims: readonly [1, 4, 64, 64]; type: "float32" }>;
declare const onnx: OnnxTensor;
declare const onnxFloats: TypedOnnxTensor<"float32">;
declare const transformers: TransformersTensor;
declare const resident: ResidentTensor<Floats>;
declare const declared: StepOptions;
declare const flag: boolean;

// What the sample is comes out, whatever else goes in.
{
  const fromFloats = scheduler.step(onnx, floats, 999);
  check<Same<typeof fromFloats, Float32Array>>();
  const fromHalves = scheduler.step(halves, halves, 999n);
  check<Same<typeof fromHalves, Uint16Array>>();
  const fromPlain = scheduler.step(floats, plain, [999, 500]);
  check<Same<typeof fromPlain, typeof plain>>();
  const fromFrozen = scheduler.step(frozen, frozen, Int32Array.of(999));
  check<Same<typeof fromFrozen, typeof frozen>>();
  const fromOnnx = scheduler.step(onnx, onnx, BigInt64Array.of(999n));
  check<Same<typeof fromOnnx, OnnxTensor>>();
  const fromOnnxFloats = scheduler.step(onnx, onnxFloats, 999, {});
  check<Same<typeof fromOnnxFloats, TypedOnnxTensor<"float32">>>();
  const fromTransformers = scheduler.step(onnx, transformers, 999, { eta: 1, generator: [generator, generator] });
  check<Same<typeof fromTransformers, TransformersTensor>>();
  const noise = scheduler.step(floats, generator.randn([1, 4]), 999, { eta: undefined });
  check<Same<typeof noise, PlainTensor<Floats>>>();
  let sample: Tensor = onnx;
  sample = scheduler.step(floats, sample, 999);
}

// A resident sample comes out in JavaScript's memory, unless `out` says otherwise.
{
  const outside = scheduler.step(floats, resident, 999);
  check<Same<typeof outside, PlainTensor<Floats>>>();
  const inside = scheduler.step(floats, resident, 999, { out: resident });
  check<Same<typeof inside, ResidentTensor<Floats>>>();
  const both = scheduler.step(floats, resident, 999, { out: resident, returnDict: true });
  check<Same<typeof both, StepResult<ResidentTensor<Floats>, PlainTensor<Floats>>>>();
}

// returnDict: true, false, or either; written down or in a variable.
{
  const both = scheduler.step(floats, onnx, 999, { returnDict: true });
  check<Same<typeof both, StepResult<OnnxTensor>>>();
  check<Same<typeof both.predOriginalSample, OnnxTensor>>();
  const one = scheduler.step(floats, onnx, 999, { returnDict: false });
  check<Same<typeof one, OnnxTensor>>();

  const constant = { eta: 0.5, returnDict: true } as const;
  const bothOfConstant = scheduler.step(floats, onnx, 999, constant);
  check<Same<typeof bothOfConstant, StepResult<OnnxTensor>>>();
  const variable = { eta: 0.5, generator };
  const oneOfVariable = scheduler.step(floats, onnx, 999, variable);
  check<Same<typeof oneOfVariable, OnnxTensor>>();

  // What is known of these is not enough to tell which it is.
  const wide = { returnDict: true };
  for (const either of [
    scheduler.step(floats, onnx, 999, wide),
    scheduler.step(floats, onnx, 999, declared),
    scheduler.step(floats, onnx, 999, { returnDict: flag }),
  ]) {
    if ("prevSample" in either) check<Same<typeof either.predOriginalSample, OnnxTensor>>();
    // @ts-expect-error the result may be the sample alone
    void either.prevSample;
  }
}

// `out` is what comes out.
{
  const result = scheduler.step(floats, onnx, 999, { out: plain });
  check<Same<typeof result, typeof plain>>();
  const both = scheduler.step(floats, onnx, 999, { out: plain, returnDict: true });
  check<Same<typeof both, StepResult<typeof plain, OnnxTensor>>>();
  const none = scheduler.step(floats, onnx, 999, { out: undefined });
  check<Same<typeof none, OnnxTensor>>();
  const options = { out: floats, eta: 1 };
  const ofVariable = scheduler.step(floats, onnx, 999, options);
  check<Same<typeof ofVariable, Float32Array>>();
}

// addNoise and getVelocity do likewise, and both directions step alike.
{
  const noisy = scheduler.addNoise(onnx, floats, [1, 2]);
  check<Same<typeof noisy, OnnxTensor>>();
  const noisyInto = scheduler.addNoise(onnx, floats, 1, { out: transformers });
  check<Same<typeof noisyInto, TransformersTensor>>();
  const velocity = scheduler.getVelocity(transformers, floats, 1n);
  check<Same<typeof velocity, TransformersTensor>>();
  const velocityInto = scheduler.getVelocity(resident, floats, 1, { out: resident });
  check<Same<typeof velocityInto, ResidentTensor<Floats>>>();
  const inverse = new DDIMInverseScheduler({ clipSample: false });
  const inverted = inverse.step(onnx, transformers, 999, { returnDict: true });
  check<Same<typeof inverted, StepResult<TransformersTensor>>>();
  // @ts-expect-error inversion has no noise to add
  inverse.step(onnx, transformers, 999, { eta: 1 });
}

// The scheduler itself.
{
  scheduler.setTimesteps(20);
  scheduler.setTimesteps([999, 500, 0]);
  scheduler.setTimesteps(BigInt64Array.of(999n, 500n));
  check<Same<typeof scheduler.numInferenceSteps, number | null>>();
  check<Same<typeof scheduler.initNoiseSigma, 1>>();
  check<Same<typeof scheduler.config, DDIMSchedulerConfig>>();
  check<Same<DDIMSchedulerConfig["trainedBetas"], readonly number[] | null>>();
  check<Same<DDIMSchedulerConfig["clipSample"], boolean>>();
  for (const t of scheduler.timesteps) check<Same<typeof t, number>>();
  const same = scheduler.scaleModelInput(transformers, 999);
  check<Same<typeof same, TransformersTensor>>();

  class Mine extends DDIMScheduler {
    mine = true;
  }
  const mine = Mine.fromConfig({}, { clipSample: false }, { onWarning: (message) => message.length });
  check<Same<typeof mine, Mine>>();
  const copy = new DDIMScheduler(scheduler.config);
  DDIMScheduler.fromConfig(copy.toConfig());
  const options: DDIMSchedulerOptions = { trainedBetas: Float32Array.of(0.1), betaSchedule: undefined };
  options.trainedBetas = null;
  void init(new Uint8Array());
  void init(Promise.resolve(new ArrayBuffer(0)));
}

// The generator and resident tensors.
{
  const normals = generator.randn([2, 3]);
  check<Same<typeof normals, PlainTensor<Floats>>>();
  const uniforms = generator.rand(frozen.dims, { type: "float32" });
  check<Same<typeof uniforms.data, Floats>>();
  const into = generator.randn([2, 3], { type: "float16", out: onnx });
  check<Same<typeof into, OnnxTensor>>();
  const integers = generator.randint(0, 10, [4]);
  check<Same<typeof integers, Int32Array<ArrayBuffer>>>();
  const bigIntegers = generator.randint(0n, 10n, [4]);
  check<Same<typeof bigIntegers, BigInt64Array<ArrayBuffer>>>();
  check<Same<ReturnType<typeof generator.clone>, Generator>>();
  const floatMemory = allocate([2, 3]);
  check<Same<typeof floatMemory.data, Floats>>();
  const halfMemory = allocate([2, 3], "float16");
  check<Same<typeof halfMemory.data, Halves>>();
}

// Mistakes.
{
  // @ts-expect-error no timestep
  scheduler.step(floats, floats);
  // @ts-expect-error diffusers' order
  scheduler.step(floats, 999, floats);
  // @ts-expect-error a timestep as text
  scheduler.step(floats, floats, "999");
  // @ts-expect-error a number for a tensor
  scheduler.step(0.5, floats, 999);
  // @ts-expect-error an array of numbers for a tensor
  scheduler.step(floats, [1, 2, 3], 999);
  // @ts-expect-error a tensor without dims
  scheduler.step(floats, { data: floats }, 999);
  // @ts-expect-error float64
  scheduler.step(floats, new Float64Array(3), 999);
  // @ts-expect-error no such option
  scheduler.step(floats, floats, 999, { guidance: 3 });
  // @ts-expect-error an option of the wrong type
  scheduler.step(floats, floats, 999, { eta: "1" });
  // @ts-expect-error a seed for a generator
  scheduler.step(floats, floats, 999, { eta: 1, generator: 42 });
  // @ts-expect-error null for an option left out
  scheduler.step(floats, floats, 999, { out: null });
  // @ts-expect-error positional eta, as the reference takes it
  scheduler.step(floats, floats, 999, 0.5);
  // @ts-expect-error no such option
  scheduler.addNoise(floats, floats, 999, { eta: 1 });
  // @ts-expect-error text
  scheduler.setTimesteps("20");
  // @ts-expect-error set by setTimesteps alone
  scheduler.timesteps = Int32Array.of(1);
  // @ts-expect-error fixed
  scheduler.config.clipSample = false;
  // @ts-expect-error the result of another kind
  const wrong: OnnxTensor = scheduler.step(onnx, floats, 999);
  // @ts-expect-error no such schedule
  void new DDIMScheduler({ betaSchedule: "cosine", wrong });
  // @ts-expect-error as diffusers spells it
  void new DDIMScheduler({ beta_schedule: "linear" });
  // @ts-expect-error null for an option left out
  void new DDIMScheduler({ clipSample: null });
  // @ts-expect-error neither text nor object
  DDIMScheduler.fromConfig(5);
  // @ts-expect-error text
  void new Generator("42");
  // @ts-expect-error no such type
  generator.randn([2], { type: "float64" });
  // @ts-expect-error one number for dims
  generator.randn(16);
  // @ts-expect-error bounds of two kinds
  generator.randint(0, 10n, [1]);
  // @ts-expect-error a path
  void init("core.wasm");
  // @ts-expect-error to be made by allocate
  const memory: ResidentTensor = { data: floats, dims: [3], type: "float32" };
  memory.free();
}
