// The public types, checked by the compiler alone: nothing here runs. Each line marked with @ts-expect-error is a
// mistake that the compiler has to find.

import {
  allocate,
  DDIMInverseScheduler,
  DDIMScheduler,
  type DDIMSchedulerConfig,
  type DDIMSchedulerOptions,
  type DType,
  Generator,
  init,
  latentToRgb,
  type PlainTensor,
  type RandomOptions,
  type ResidentTensor,
  SD1_LATENT_RGB,
  type StepResult,
  type Tensor,
  type TensorLike,
} from "ddim-wasm";
import {
  check,
  declared,
  flag,
  type Floats,
  floats,
  frozen,
  generator,
  type Halves,
  halves,
  onnx,
  onnxFloats,
  type OnnxTensor,
  plain,
  resident,
  type Same,
  scheduler,
  transformers,
  type TransformersTensor,
  type TypedOnnxTensor,
} from "./given.js";

// What the sample is comes out, whatever else goes in.
{
  const fromFloats = scheduler.step(onnx, floats, 999);
  check<Same<typeof fromFloats, Floats>>();
  const fromHalves = scheduler.step(halves, halves, 999n);
  check<Same<typeof fromHalves, Halves>>();
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

// Results lie in new memory: a shared one does not come out, nor a class of one's own over it.
{
  const shared = new Float32Array(new SharedArrayBuffer(16));
  const fromShared = scheduler.step(floats, shared, 999);
  check<Same<typeof fromShared, Floats>>();
  const { prevSample, predOriginalSample } = scheduler.step(floats, shared, 999, { returnDict: true });
  check<Same<typeof prevSample, Floats>>();
  check<Same<typeof predOriginalSample, Floats>>();
  const noisy = scheduler.addNoise(shared, floats, 999);
  check<Same<typeof noisy, Floats>>();
  const velocity = scheduler.getVelocity(halves, floats, 999);
  check<Same<typeof velocity, Halves>>();
  const fromTensor = scheduler.step(floats, {} as PlainTensor<Float32Array>, 999);
  check<Same<typeof fromTensor, PlainTensor<Floats>>>();
  const fromEither = scheduler.step(floats, {} as PlainTensor, 999);
  check<Same<typeof fromEither, PlainTensor>>();
  const fromUnion = scheduler.step(floats, {} as Float32Array | Uint16Array, 999);
  check<Same<typeof fromUnion, Floats | Halves>>();
  // What is given as out comes out, wherever it lies.
  const intoShared = scheduler.step(floats, shared, 999, { out: shared });
  check<Same<typeof intoShared, Float32Array<SharedArrayBuffer>>>();

  let sample: Float32Array = shared;
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
  const ofAnnotated = scheduler.step(floats, {} as ResidentTensor<Float32Array>, 999);
  check<Same<typeof ofAnnotated, PlainTensor<Floats>>>();
  const ofEither = scheduler.step(floats, {} as ResidentTensor, 999);
  check<Same<typeof ofEither, PlainTensor>>();
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
  class MyInverse extends DDIMInverseScheduler {
    mine = true;
  }
  const myInverse = MyInverse.fromConfig('{ "beta_schedule": "linear" }');
  check<Same<typeof myInverse, MyInverse>>();
  // @ts-expect-error no such option
  Mine.fromConfig({}, { beta_end: 0.1 });
  const copy = new DDIMScheduler(scheduler.config);
  DDIMScheduler.fromConfig(copy.toConfig());
  const options: DDIMSchedulerOptions = { trainedBetas: Float32Array.of(0.1), betaSchedule: undefined };
  options.trainedBetas = null;
  void init(new Uint8Array());
  void init(Promise.resolve(new ArrayBuffer(0)));
}

// The generator: what is drawn has the type asked for, or that of out.
for (const draw of ["randn", "rand"] as const) {
  const normals = generator[draw]([2, 3]);
  check<Same<typeof normals, PlainTensor<Floats>>>();
  check<Same<typeof normals.type, "float32">>();
  const ofType = generator[draw](frozen.dims, { type: "float32" });
  check<Same<typeof ofType.data, Floats>>();
  const bits = generator[draw]([2, 3], { type: "float16" });
  check<Same<typeof bits, PlainTensor<Halves>>>();
  check<Same<typeof bits.type, "float16">>();
  const either = generator[draw]([2, 3], { type: "float32" as DType });
  check<Same<typeof either, PlainTensor>>();

  const into = generator[draw]([2, 3], { type: "float16", out: onnx });
  check<Same<typeof into, OnnxTensor>>();
  const intoResident = generator[draw]([2, 3], { out: resident });
  check<Same<typeof intoResident, ResidentTensor<Floats>>>();
  const intoPlain = generator[draw]([2, 3], { out: plain });
  check<Same<typeof intoPlain, typeof plain>>();
  // A tensor around the very array that was given.
  const aroundFloats = generator[draw]([2, 3], { out: floats });
  check<Same<typeof aroundFloats, PlainTensor<Float32Array>>>();
  const aroundHalves = generator[draw]([2, 3], { out: halves });
  check<Same<typeof aroundHalves, PlainTensor<Uint16Array>>>();
  check<Same<typeof aroundHalves.type, "float16">>();

  const constant = { type: "float16" } as const;
  const ofConstant = generator[draw]([2, 3], constant);
  check<Same<typeof ofConstant, PlainTensor<Halves>>>();
  const variable = { out: onnxFloats };
  const ofVariable = generator[draw]([2, 3], variable);
  check<Same<typeof ofVariable, TypedOnnxTensor<"float32">>>();
  const ofDeclared = generator[draw]([2, 3], {} as RandomOptions);
  check<Same<typeof ofDeclared, TensorLike>>();
}
{
  const integers = generator.randint(0, 10, [4]);
  check<Same<typeof integers, Int32Array<ArrayBuffer>>>();
  const bigIntegers = generator.randint(0n, 10n, [4]);
  check<Same<typeof bigIntegers, BigInt64Array<ArrayBuffer>>>();
  check<Same<ReturnType<typeof generator.clone>, Generator>>();
  check<Same<ReturnType<typeof generator.getState>, Uint8Array<ArrayBuffer>>>();
  generator
    .setState(new Uint8Array(new SharedArrayBuffer(5056)))
    .manualSeed(1n)
    .randn([1]);
}

// Resident tensors.
{
  const floatMemory = allocate([2, 3]);
  check<Same<typeof floatMemory, ResidentTensor<Floats>>>();
  check<Same<typeof floatMemory.data, Floats>>();
  check<Same<typeof floatMemory.type, "float32">>();
  const named = allocate(frozen.dims, "float32");
  check<Same<typeof named, ResidentTensor<Floats>>>();
  const halfMemory = allocate([2, 3], "float16");
  check<Same<typeof halfMemory.data, Halves>>();
  check<Same<typeof halfMemory.type, "float16">>();
  const either = allocate([2, 3], "float32" as DType);
  check<Same<typeof either, ResidentTensor>>();
  check<Same<typeof either.data, Floats | Halves>>();
  const annotated: ResidentTensor<Float32Array> = floatMemory;
  const tensor: TensorLike = annotated;
  check<Same<typeof tensor, TensorLike>>();
  // @ts-expect-error fixed
  floatMemory.dims.push(4);
  // @ts-expect-error made afresh by the tensor itself
  floatMemory.data = floats;
  // @ts-expect-error no such type
  allocate([2, 3], "int8");
}

// Pictures and results go where browsers take them: these are the signatures of the DOM library of TypeScript 5.9.
type BufferSource = ArrayBufferView<ArrayBuffer> | ArrayBuffer;
declare class ImageData {
  readonly width: number;
  constructor(data: Uint8ClampedArray<ArrayBuffer>, width: number, height?: number);
}
declare class Blob {
  readonly size: number;
  constructor(parts?: (BufferSource | Blob | string)[]);
}
declare class Response {
  readonly ok: boolean;
  constructor(body?: BufferSource | Blob | string | null);
}
declare const subtle: { digest(algorithm: string, data: BufferSource): Promise<ArrayBuffer> };
{
  const { data, width, height } = latentToRgb(generator.randn([1, 4, 8, 8]), SD1_LATENT_RGB, { element: 0 });
  void new ImageData(data, width, height);
  latentToRgb(onnx, SD1_LATENT_RGB);
  latentToRgb(transformers, { weights: [[1, 2, 3]], bias: [0, 0, 0] });
  latentToRgb(resident, SD1_LATENT_RGB);
  // @ts-expect-error a bare array has no shape
  latentToRgb(floats, SD1_LATENT_RGB);
  // @ts-expect-error a row of two colours
  latentToRgb(plain, { weights: [[1, 2]], bias: [0, 0, 0] });
  // @ts-expect-error no such option
  latentToRgb(plain, SD1_LATENT_RGB, { batch: 0 });

  const stepped = scheduler.step(floats, floats, 999);
  const { predOriginalSample } = scheduler.step(floats, halves, 999, { returnDict: true });
  const noisy = scheduler.addNoise(resident, floats, 999);
  const inverted = new DDIMInverseScheduler().step(floats, floats, 999);
  for (const bytes of [
    data,
    stepped,
    predOriginalSample,
    noisy.data,
    inverted,
    scheduler.timesteps,
    generator.randn([2]).data,
    generator.rand([2], { type: "float16" }).data,
    generator.randint(0, 10, [2]),
    generator.randint(0n, 10n, [2]),
    generator.getState(),
    allocate([2]).data,
  ]) {
    void new Blob([bytes]);
    void new Response(bytes);
    void subtle.digest("SHA-256", bytes);
  }
  // @ts-expect-error what was given may lie in shared memory
  void new Blob([scheduler.step(floats, floats, 999, { out: floats })]);
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
