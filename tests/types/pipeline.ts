// The pipeline's public types, checked by the compiler alone: nothing here runs. Each line marked with @ts-expect-error
// is a mistake that the compiler has to find.

import {
  DDIMInverseScheduler,
  DDIMScheduler,
  DiffusionPipeline,
  type Inversion,
  latentToRgb,
  type Model,
  type ModelContext,
  type PlainTensor,
  type RunFromDims,
  type RunOptions,
  SD1_LATENT_RGB,
  type StepReport,
  type StopSignal,
  type Tensor,
} from "ddim-wasm";
import {
  type Alike,
  check,
  type Floats,
  floats,
  generator,
  type Halves,
  onnx,
  onnxFloats,
  type OnnxTensor,
  resident,
  type Same,
  scheduler,
  transformers,
  type TransformersTensor,
  type TypedOnnxTensor,
} from "./given.js";

declare function predict(sample: Tensor): Promise<OnnxTensor>;
declare const image: PlainTensor<Floats>;
declare const mask: Float32Array;
const dims = [1, 4, 64, 64];

const pipeline = new DiffusionPipeline({ scheduler, model: (sample) => predict(sample) });
const onnxPipeline = new DiffusionPipeline({ scheduler, model: (sample: OnnxTensor) => predict(sample) });
const barePipeline = new DiffusionPipeline({ scheduler, model: (sample: Float32Array) => sample });
const eitherPipeline = new DiffusionPipeline({ scheduler, model: (sample: PlainTensor) => sample });
const anyPipeline = new DiffusionPipeline({ scheduler, model: predict });

// The model's first parameter, and what it returns.
{
  void new DiffusionPipeline({
    scheduler,
    model: (sample, timestep, { step, total, signal, condition }) => {
      check<Same<typeof sample, PlainTensor<Floats>>>();
      check<Same<typeof timestep, number>>();
      check<Same<typeof step, number>>();
      check<Same<typeof total, number>>();
      check<Same<typeof signal, StopSignal | undefined>>();
      check<Same<typeof condition, readonly unknown[] | undefined>>();
      return sample.data;
    },
  });
  check<Same<typeof pipeline, DiffusionPipeline<PlainTensor<Floats>>>>();
  check<Same<typeof onnxPipeline, DiffusionPipeline<OnnxTensor>>>();
  check<Same<Parameters<typeof onnxPipeline.model>[0], OnnxTensor>>();
  const later: Model<TransformersTensor> = async (sample, t) => ({ data: floats.fill(t), dims: sample.dims });
  void new DiffusionPipeline({ scheduler, model: later });
  const thenable: Model = () => ({}) as PromiseLike<OnnxTensor>;
  void new DiffusionPipeline({ scheduler, model: thenable });

  // @ts-expect-error no tensor comes out
  void new DiffusionPipeline({ scheduler, model: () => 5 });
  // @ts-expect-error a promise of no tensor
  void new DiffusionPipeline({ scheduler, model: async (sample) => [...sample.data] });
  // @ts-expect-error the model takes no tensor
  void new DiffusionPipeline({ scheduler, model: (sample: string) => floats.fill(sample.length) });
  // @ts-expect-error the timestep is a number
  void new DiffusionPipeline({ scheduler, model: (_: OnnxTensor, t: string) => floats.fill(t.length) });
  // @ts-expect-error no model
  void new DiffusionPipeline({ scheduler });
  // @ts-expect-error no scheduler
  void new DiffusionPipeline({ model: predict });
  // @ts-expect-error no such option
  void new DiffusionPipeline({ scheduler, model: predict, steps: 20 });
}

// Any scheduler that denoises.
{
  class Mine extends DDIMScheduler {}
  const mine = new DiffusionPipeline({ scheduler: Mine.fromConfig({}), model: predict });
  check<Same<typeof mine.scheduler.timesteps, Int32Array<ArrayBuffer>>>();
  mine.scheduler.setTimesteps(20);
  // @ts-expect-error it leads from the image to noise
  void new DiffusionPipeline({ scheduler: new DDIMInverseScheduler(), model: predict });
  // @ts-expect-error no scheduler
  void new DiffusionPipeline({ scheduler: { setTimesteps() {} }, model: predict });
  // @ts-expect-error the class, and not one of it
  void new DiffusionPipeline({ scheduler: DDIMScheduler, model: predict });
  // @ts-expect-error set once
  mine.model = predict;
}

// From dims: float32, unless another type is asked for.
{
  const fromDims = await pipeline.run({ dims, generator, numInferenceSteps: 20 });
  check<Same<typeof fromDims, PlainTensor<Floats>>>();
  check<Same<typeof fromDims.data, Float32Array<ArrayBuffer>>>();
  const named = await pipeline.run({ dims: [1, 4] as const, type: "float32", eta: 1, generator: [generator] });
  check<Same<typeof named, PlainTensor<Floats>>>();
  const bits = await eitherPipeline.run({ dims, type: "float16", useClippedModelOutput: true, checkFinite: true });
  check<Same<typeof bits, PlainTensor<Halves>>>();
  check<Same<typeof bits.data, Uint16Array<ArrayBuffer>>>();
  const floatsAgain = await eitherPipeline.run({ dims });
  check<Same<typeof floatsAgain, PlainTensor<Floats>>>();
  const inpainted = await pipeline.run({ dims, mask, known: image, knownNoise: "fresh" });
  check<Same<typeof inpainted, PlainTensor<Floats>>>();
  const ofAny = await anyPipeline.run({ dims, type: "float16" });
  check<Same<typeof ofAny, PlainTensor<Halves>>>();

  // @ts-expect-error the model takes onnxruntime's tensors
  onnxPipeline.run({ dims });
  // @ts-expect-error the model takes bare arrays
  barePipeline.run({ dims });
  // @ts-expect-error the model takes float32
  pipeline.run({ dims, type: "float16" });
  // @ts-expect-error no such type
  pipeline.run({ dims, type: "float64" });
  // @ts-expect-error one number for dims
  pipeline.run({ dims: 4 });
}

// From a sample: what goes in comes out.
{
  const fromPlain = await pipeline.run({ sample: image, strength: 0.5, exactSteps: true, numInferenceSteps: [9, 5] });
  check<Same<typeof fromPlain, PlainTensor<Floats>>>();
  const fromOnnx = await onnxPipeline.run({ sample: onnx });
  check<Same<typeof fromOnnx, OnnxTensor>>();
  const fromOnnxFloats = await onnxPipeline.run({ sample: onnxFloats, strength: 0.5 });
  check<Same<typeof fromOnnxFloats, TypedOnnxTensor<"float32">>>();
  const fromBare = await barePipeline.run({ sample: floats });
  check<Same<typeof fromBare, Floats>>();
  const fromTransformers = await anyPipeline.run({ sample: transformers });
  check<Same<typeof fromTransformers, TransformersTensor>>();
  // In JavaScript's memory, so that nothing leaks.
  const fromResident = await anyPipeline.run({ sample: resident });
  check<Same<typeof fromResident, PlainTensor<Floats>>>();
  const fromKnown = await onnxPipeline.run({ known: onnxFloats, mask, strength: 0.8, knownNoise: floats });
  check<Same<typeof fromKnown, TypedOnnxTensor<"float32">>>();

  // @ts-expect-error the model takes bare arrays
  barePipeline.run({ sample: onnx });
  // @ts-expect-error the model takes onnxruntime's tensors
  onnxPipeline.run({ sample: image });
  // @ts-expect-error the model takes onnxruntime's tensors
  onnxPipeline.run({ known: image, mask, strength: 0.8 });
  // @ts-expect-error no tensor
  anyPipeline.run({ sample: [1, 2, 3] });
}

// What does not go together.
{
  // @ts-expect-error nothing to start from
  pipeline.run({});
  // @ts-expect-error nothing to start from
  pipeline.run();
  // @ts-expect-error nothing to start from
  pipeline.run({ numInferenceSteps: 20, generator });
  // @ts-expect-error dims beside sample
  pipeline.run({ dims, sample: image });
  // @ts-expect-error type beside sample
  pipeline.run({ sample: image, type: "float32" });
  // @ts-expect-error strength without an image
  pipeline.run({ dims, strength: 0.5 });
  // @ts-expect-error mask without known
  pipeline.run({ dims, mask });
  // @ts-expect-error mask without known
  pipeline.run({ sample: image, mask });
  // @ts-expect-error known without mask
  pipeline.run({ dims, known: image });
  // @ts-expect-error known without mask
  pipeline.run({ known: image, strength: 0.5 });
  // @ts-expect-error nothing to start from
  pipeline.run({ mask, known: image });
  // @ts-expect-error known without mask and strength
  pipeline.run({ known: image });
  // @ts-expect-error knownNoise without both
  pipeline.run({ dims, knownNoise: "same" });
  // @ts-expect-error no such noise
  pipeline.run({ dims, mask, known: image, knownNoise: "other" });
  // @ts-expect-error exactSteps without strength
  pipeline.run({ sample: image, exactSteps: true });
  // @ts-expect-error exactSteps without strength
  pipeline.run({ dims, exactSteps: true });
  // @ts-expect-error no such option
  pipeline.run({ dims, steps: 20 });
  // @ts-expect-error a seed for a generator
  pipeline.run({ dims, generator: 42 });
  // @ts-expect-error null for an option left out
  pipeline.run({ dims, eta: null });
  // @ts-expect-error no signal
  pipeline.run({ dims, signal: true });
  for (const mistaken of [{}, { numInferenceSteps: 20 }]) {
    // @ts-expect-error nothing to start from
    pipeline.stream(mistaken);
  }
  // @ts-expect-error dims beside sample
  pipeline.stream({ dims, sample: image });
  // @ts-expect-error mask without known
  pipeline.stream({ dims, mask });
  // @ts-expect-error the loop takes the reports
  pipeline.stream({ dims, onStep: () => {} });
  // @ts-expect-error the model takes float32
  pipeline.stream({ dims, type: "float16" });
  // @ts-expect-error the model takes onnxruntime's tensors
  onnxPipeline.stream({ dims });
}

// Reports, as `onStep` and `stream` hand them out.
{
  await pipeline.run({
    dims,
    signal: new AbortController().signal,
    onStep: async (report) => {
      check<Same<typeof report, StepReport<PlainTensor<Floats>>>>();
      latentToRgb(report.predOriginalSample, SD1_LATENT_RGB);
    },
  });
  await eitherPipeline.run({
    dims,
    type: "float16",
    onStep: (report) => check<Same<typeof report, StepReport<PlainTensor<Halves>>>>(),
  });
  await onnxPipeline.run({
    sample: onnxFloats,
    onStep: ({ sample, predOriginalSample }) => {
      check<Same<typeof sample, TypedOnnxTensor<"float32">>>();
      check<Same<typeof predOriginalSample, TypedOnnxTensor<"float32">>>();
    },
  });
  await barePipeline.run({ sample: floats, onStep: ({ sample }) => check<Same<typeof sample, Floats>>() });

  for await (const { step, total, timestep, sample, predOriginalSample } of pipeline.stream({ dims, eta: 0 })) {
    check<Same<typeof step, number>>();
    check<Same<typeof total, number>>();
    check<Same<typeof timestep, number>>();
    check<Same<typeof sample, PlainTensor<Floats>>>();
    const { data, width, height } = latentToRgb(predOriginalSample, SD1_LATENT_RGB);
    check<Same<typeof data, Uint8ClampedArray<ArrayBuffer>>>();
    check<Same<typeof width, number>>();
    check<Same<typeof height, number>>();
  }
  for await (const { sample } of eitherPipeline.stream({ dims, type: "float16" })) {
    check<Same<typeof sample, PlainTensor<Halves>>>();
  }
  for await (const report of onnxPipeline.stream({ sample: onnx, strength: 0.5, mask, known: onnx })) {
    check<Same<typeof report, StepReport<OnnxTensor>>>();
    // @ts-expect-error a report is read
    report.step = 0;
  }
  for await (const { sample } of onnxPipeline.stream({ known: onnxFloats, mask, strength: 0.5 })) {
    check<Same<typeof sample, TypedOnnxTensor<"float32">>>();
  }
  for await (const { sample } of anyPipeline.stream({ sample: resident })) {
    check<Same<typeof sample, PlainTensor<Floats>>>();
  }
  // A run that is ended by hand.
  const stream = pipeline.stream({ dims });
  const next = await stream.next();
  if (!next.done) check<Same<typeof next.value, StepReport<PlainTensor<Floats>>>>();
  await stream.return();
}

// Conditions are what the model takes.
{
  const byLabel = new DiffusionPipeline({
    scheduler,
    model: (sample: PlainTensor<Floats>, _t, { condition }: ModelContext<number>) => {
      check<Same<typeof condition, readonly number[] | undefined>>();
      return sample;
    },
  });
  check<Same<typeof byLabel, DiffusionPipeline<PlainTensor<Floats>, number>>>();
  await byLabel.run({ dims, condition: [3, 7], unconditional: 10, guidanceScale: 3, guidanceRescale: 0.7 });
  byLabel.stream({ dims, condition: [3] });
  await byLabel.invert({ sample: image, condition: [3], unconditional: 10, guidanceScale: 3 });
  await byLabel.run({ dims });
  // @ts-expect-error labels are numbers
  byLabel.run({ dims, condition: ["3"] });
  // @ts-expect-error labels are numbers
  byLabel.run({ dims, condition: [3], unconditional: "none" });
  // @ts-expect-error one for each batch element
  byLabel.run({ dims, condition: 3 });
  // @ts-expect-error labels are numbers
  byLabel.stream({ dims, condition: ["3"] });
  // @ts-expect-error labels are numbers
  byLabel.invert({ sample: image, condition: ["3"] });
  // Where the model does not say, it may be anything.
  await pipeline.run({ dims, condition: ["a cat", 3], unconditional: null, guidanceScale: 7.5 });
}

// Options held in variables.
{
  const options = { dims, numInferenceSteps: 20, generator };
  const ofVariable = await pipeline.run(options);
  check<Same<typeof ofVariable, PlainTensor<Floats>>>();
  const constant = { dims: [1, 4], type: "float16", eta: 0.5 } as const;
  const ofConstant = await eitherPipeline.run(constant);
  check<Same<typeof ofConstant, PlainTensor<Halves>>>();
  const start = { sample: onnxFloats, strength: 0.5 };
  const ofStart = await onnxPipeline.run(start);
  check<Same<typeof ofStart, TypedOnnxTensor<"float32">>>();
  const declared: RunFromDims<"float32"> = { dims };
  const ofDeclared = await pipeline.run(declared);
  check<Same<typeof ofDeclared, PlainTensor<Floats>>>();

  const ofRunOptions = await pipeline.run({} as RunOptions);
  check<Alike<typeof ofRunOptions, PlainTensor<Floats>>>();
  const ofOnnxOptions = await onnxPipeline.run({} as RunOptions<OnnxTensor>);
  check<Same<typeof ofOnnxOptions, OnnxTensor>>();
  for await (const { sample } of pipeline.stream({} as RunOptions)) {
    check<Alike<typeof sample, PlainTensor<Floats>>>();
  }
  for await (const { sample } of onnxPipeline.stream({} as RunOptions<OnnxTensor>)) {
    check<Same<typeof sample, OnnxTensor>>();
  }
  const ofEither = await eitherPipeline.run({ dims, type: "float32" as "float32" | "float16" });
  const either: PlainTensor<Floats> | PlainTensor<Halves> | PlainTensor = ofEither;
  check<Same<typeof either.data, Floats | Halves>>();

  // @ts-expect-error runs of this model do not start from onnxruntime's tensors
  pipeline.run({} as RunOptions<OnnxTensor>);
  // @ts-expect-error nothing to start from
  const nothing: RunOptions = { numInferenceSteps: 20 };
  // @ts-expect-error mask without known
  const masked: RunOptions = { dims, mask };
  // @ts-expect-error the model takes onnxruntime's tensors
  const fromDims: RunOptions<OnnxTensor> = { dims };
  void [nothing, masked, fromDims];
}

// Inversion.
{
  const inversion = await pipeline.invert({ sample: image, numInferenceSteps: 50, refine: { tolerance: 1e-5 } });
  check<Same<typeof inversion, Inversion<PlainTensor<Floats>>>>();
  check<Same<typeof inversion.worst, { residual: number; timestep: number } | null>>();
  const again = await pipeline.run({ sample: inversion.sample });
  check<Same<typeof again, PlainTensor<Floats>>>();
  const ofOnnx = await onnxPipeline.invert({
    sample: onnxFloats,
    refine: true,
    onStep: (report) => {
      check<Same<typeof report.sample, TypedOnnxTensor<"float32">>>();
      // @ts-expect-error an inversion has no previews
      void report.predOriginalSample;
    },
  });
  check<Same<typeof ofOnnx.sample, TypedOnnxTensor<"float32">>>();

  // @ts-expect-error nothing to invert
  pipeline.invert({});
  // @ts-expect-error nothing to invert
  pipeline.invert({ dims });
  // @ts-expect-error inversion has no noise to add
  pipeline.invert({ sample: image, eta: 1 });
  // @ts-expect-error inversion draws no noise
  pipeline.invert({ sample: image, generator });
  // @ts-expect-error no such option of a refinement
  pipeline.invert({ sample: image, refine: { steps: 3 } });
  // @ts-expect-error the model takes onnxruntime's tensors
  onnxPipeline.invert({ sample: image });
}
