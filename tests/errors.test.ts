// What is refused, and how: each row is a call that throws. The error is of exactly the class given, its message holds
// all the pieces given, nothing has been written, and the next valid call is as good as if nothing had happened.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { copy, implementations, type Library } from "./implementations.js";
import { bytesOf, normalData, normalTensor } from "./tensors.js";

/** Anything: rows pass what the types forbid. */
type Any = any;
type ErrorClass = new (message: string) => Error;
type Row = [call: (world: World) => unknown, error: ErrorClass, ...pieces: string[]];
type World = ReturnType<typeof makeWorld>;

/** Valid arguments, most of them batches of 2 with 3 values each, and a look-out for what changes. */
function makeWorld(library: Library = implementations.simd) {
  const { DDIMInverseScheduler, DDIMScheduler, Generator } = library;
  const guarded: { array: NodeJS.TypedArray; before: Uint8Array }[] = [];
  const guard = <T extends NodeJS.TypedArray>(array: T): T => {
    guarded.push({ array, before: bytesOf(array).slice() });
    return array;
  };
  const watched: { scheduler: Any; timesteps: Int32Array; numInferenceSteps: number }[] = [];
  let seed = 0;
  const float32 = (length: number) => guard(normalData(seed++, length)) as Float32Array;
  const halves = (length: number) => guard(normalData(seed++, length, "float16")) as Uint16Array;
  const float64 = (length: number) => guard(new Float64Array(length).fill(0.5));
  const tensor = (...dims: number[]) => {
    const made = normalTensor(seed++, dims);
    guard(made.data);
    return made;
  };
  const makeScheduler = (options: object = {}, steps: unknown = 20) => {
    const scheduler: Any = new DDIMScheduler(options);
    scheduler.setTimesteps(steps);
    guard(scheduler.alphasCumprod);
    watched.push({ scheduler, timesteps: scheduler.timesteps, numInferenceSteps: scheduler.numInferenceSteps });
    return scheduler;
  };

  const makeInverse = (options: object) => {
    const inverse: Any = new DDIMInverseScheduler(options);
    inverse.setTimesteps(20);
    return inverse;
  };

  const scheduler = makeScheduler();
  const generator: Any = new Generator(7);
  generator.randn([5]);
  const valid = { modelOutput: tensor(2, 3), sample: tensor(2, 3), timestep: 950 };
  const state: Uint8Array = generator.getState();
  return {
    ...(library as Any),
    ...valid,
    scheduler,
    generator,
    makeScheduler,
    makeInverse,
    float32,
    halves,
    float64,
    tensor,
    /** A step with valid arguments but for those given. */
    step(args: object, options: unknown = {}): unknown {
      const { modelOutput, sample, timestep } = { ...valid, ...args };
      return scheduler.step(modelOutput, sample, timestep, options);
    },
    /** Fails if anything has been written. */
    assertUnchanged(): void {
      for (const { array, before } of guarded) assert.equal(bytesOf(array), before, "an array was written to");
      for (const { scheduler, timesteps, numInferenceSteps } of watched) {
        assert.equal(scheduler.timesteps, timesteps);
        assert.is(scheduler.numInferenceSteps, numInferenceSteps);
      }
      assert.equal(generator.getState(), state);
    },
    /** The results of valid calls. */
    go(): Uint8Array[] {
      const { prevSample, predOriginalSample } = scheduler.step(valid.modelOutput, valid.sample, valid.timestep, {
        eta: 1,
        generator,
        returnDict: true,
      });
      const noisy = scheduler.addNoise(valid.sample, valid.modelOutput, [0, 999]);
      const drawn = generator.randn([20]);
      const { betas } = new DDIMScheduler({ betaSchedule: "linear" });
      return [prevSample.data, predOriginalSample.data, noisy.data, drawn.data, betas].map(bytesOf);
    },
  };
}

/** A constructor's option that is refused, beside others that are not. */
function option(name: string, value: unknown, error: ErrorClass, takes: string, got: string, others: object = {}): Row {
  return [
    ({ DDIMScheduler }) => new DDIMScheduler({ ...others, [name]: value }),
    error,
    `"${name}" expected ${takes}, got ${got}`,
  ];
}

/** A number of training steps that is refused. */
function trainingSteps(value: unknown, error: ErrorClass, got: string): Row {
  return [
    ({ DDIMScheduler }) => new DDIMScheduler({ numTrainTimesteps: value }),
    error,
    '"numTrainTimesteps" expected an integer',
    `got ${got}`,
  ];
}

const linear = { betaSchedule: "linear" };
const nothing = {};

const TABLE: Record<string, Row[]> = {
  "new DDIMScheduler": [
    [({ DDIMScheduler }) => new DDIMScheduler(20), TypeError, '"options" expected a plain object, got 20'],
    [({ DDIMScheduler }) => new DDIMScheduler(null), TypeError, '"options" expected a plain object, got null'],
    [({ DDIMScheduler }) => new DDIMScheduler([1000]), TypeError, '"options" expected a plain object, got [1000]'],
    [({ DDIMScheduler }) => new DDIMScheduler("{}"), TypeError, '"options" expected a plain object, got "{}"'],
    [({ DDIMScheduler }) => new DDIMScheduler({ clip: true }), TypeError, '"options"', '"clip"', "clipSample"],
    [({ DDIMScheduler }) => new DDIMScheduler({ beta_start: 0.1 }), TypeError, '"beta_start"', "betaStart"],
    [({ DDIMScheduler }) => new DDIMScheduler({ eta: undefined }), TypeError, '"eta"'],
    trainingSteps(0, RangeError, "0"),
    trainingSteps(-5, RangeError, "-5"),
    trainingSteps(2.5, RangeError, "2.5"),
    trainingSteps(NaN, RangeError, "NaN"),
    trainingSteps(Infinity, RangeError, "Infinity"),
    trainingSteps("1000", TypeError, '"1000"'),
    trainingSteps(1000n, TypeError, "1000n"),
    trainingSteps(null, TypeError, "null"),
    option("betaStart", 0, RangeError, "a number in (0, 1)", "0", linear),
    option("betaStart", 1, RangeError, "a number in (0, 1)", "1", linear),
    option("betaStart", -0.1, RangeError, "a number in (0, 1)", "-0.1", { betaSchedule: "scaled_linear" }),
    option("betaStart", "0.1", TypeError, "a finite number", '"0.1"', linear),
    option("betaEnd", 0, RangeError, "a number in (0, 1]", "0", linear),
    option("betaEnd", 1.01, RangeError, "a number in (0, 1]", "1.01", { betaSchedule: "sigmoid" }),
    option("betaEnd", NaN, RangeError, "a finite number", "NaN", linear),
    option("betaEnd", [0.02], TypeError, "a finite number", "[0.02]", linear),
    option(
      "betaSchedule",
      "cosine",
      RangeError,
      'one of "linear", "scaled_linear", "squaredcos_cap_v2", "sigmoid"',
      '"cosine"',
    ),
    [
      ({ DDIMScheduler }) => new DDIMScheduler({ betaSchedule: 1 }),
      TypeError,
      '"betaSchedule"',
      'one of "linear"',
      "got 1",
    ],
    option("predictionType", "noise", RangeError, 'one of "epsilon", "sample", "v_prediction"', '"noise"'),
    option("predictionType", null, TypeError, 'one of "epsilon", "sample", "v_prediction"', "null"),
    option("clipSample", 1, TypeError, "a boolean", "1"),
    option("clipSample", "false", TypeError, "a boolean", '"false"'),
    option("clipSampleRange", 0, RangeError, "a finite number > 0", "0"),
    option("clipSampleRange", -1, RangeError, "a finite number > 0", "-1"),
    option("clipSampleRange", NaN, RangeError, "a finite number > 0", "NaN"),
    option("clipSampleRange", "1", TypeError, "a finite number > 0", '"1"'),
    option("thresholding", 0, TypeError, "a boolean", "0"),
    option("sampleMaxValue", 0, RangeError, "a finite number > 0", "0"),
    option("sampleMaxValue", nothing, TypeError, "a finite number > 0", "an object"),
    option("dynamicThresholdingRatio", 0, RangeError, "a number in (0, 1]", "0"),
    option("dynamicThresholdingRatio", 1.5, RangeError, "a number in (0, 1]", "1.5"),
    option("dynamicThresholdingRatio", "0.9", TypeError, "a number in (0, 1]", '"0.9"'),
    option("rescaleBetasZeroSnr", "yes", TypeError, "a boolean", '"yes"'),
    option("numTrainTimesteps", 1, RangeError, "an integer >= 2 with rescaleBetasZeroSnr", "1", {
      rescaleBetasZeroSnr: true,
    }),
    option("timestepSpacing", "even", RangeError, 'one of "linspace", "leading", "trailing"', '"even"'),
    option("timestepSpacing", ["leading"], TypeError, 'one of "linspace", "leading", "trailing"', '["leading"]'),
    option("stepsOffset", -1, RangeError, "an integer >= 0", "-1"),
    option("stepsOffset", 0.5, RangeError, "an integer >= 0", "0.5"),
    option("stepsOffset", "1", TypeError, "an integer >= 0", '"1"'),
    option("setAlphaToOne", null, TypeError, "a boolean", "null"),
    option("previousTimestep", "next", RangeError, 'one of "stride", "schedule"', '"next"'),
    option("computeDtype", "bfloat16", RangeError, 'one of "float32", "float16"', '"bfloat16"'),
    option("computeDtype", 16, TypeError, 'one of "float32", "float16"', "16"),
    option("trainedBetas", 0.1, TypeError, "an array of numbers, at least 1 and at most 1000000, or null", "0.1"),
    option("trainedBetas", "0.1", TypeError, "an array of numbers, at least 1 and at most 1000000, or null", '"0.1"'),
    option("trainedBetas", [0.1, 0.2, 0.3], RangeError, "numTrainTimesteps = 4 values", "3", { numTrainTimesteps: 4 }),
    [({ DDIMScheduler }) => new DDIMScheduler({ trainedBetas: [0.1, "0.2"] }), TypeError, '"trainedBetas[1]"', '"0.2"'],
    [({ DDIMScheduler }) => new DDIMScheduler({ trainedBetas: [NaN, 0.2] }), RangeError, '"trainedBetas[0]"', "NaN"],
    [({ DDIMScheduler }) => new DDIMScheduler({ trainedBetas: [0.1, 1.5] }), RangeError, "beta 1", "1.5", "(0, 1)"],
    [({ DDIMScheduler }) => new DDIMScheduler({ trainedBetas: [1, 0.5] }), RangeError, "beta 0", "1", "only the last"],
    [({ DDIMScheduler }) => new DDIMScheduler({ trainedBetas: [0.1, 0, 0.1] }), RangeError, "beta 1", "0", "(0, 1)"],
  ],

  setTimesteps: [
    [({ scheduler }) => scheduler.setTimesteps(0), RangeError, '"steps"', "[1, numTrainTimesteps = 1000]", "got 0"],
    [({ scheduler }) => scheduler.setTimesteps(1001), RangeError, '"steps"', "numTrainTimesteps = 1000", "got 1001"],
    [({ scheduler }) => scheduler.setTimesteps(-1), RangeError, '"steps"', "got -1"],
    [({ scheduler }) => scheduler.setTimesteps(2.5), RangeError, '"steps"', "got 2.5"],
    [({ scheduler }) => scheduler.setTimesteps(NaN), RangeError, '"steps"', "got NaN"],
    [({ scheduler }) => scheduler.setTimesteps("20"), TypeError, '"steps"', "an integer", "a list", 'got "20"'],
    [({ scheduler }) => scheduler.setTimesteps(), TypeError, '"steps"', "got undefined"],
    [({ scheduler }) => scheduler.setTimesteps(null), TypeError, '"steps"', "got null"],
    [({ scheduler }) => scheduler.setTimesteps({ steps: 20 }), TypeError, '"steps"', "got an object"],
    [({ scheduler }) => scheduler.setTimesteps([]), RangeError, '"steps"', "a strictly descending list", "got []"],
    [({ scheduler }) => scheduler.setTimesteps([0, 500]), RangeError, '"steps"', "descending", "got 500 at index 1"],
    [({ scheduler }) => scheduler.setTimesteps([9, 9]), RangeError, '"steps"', "strictly", "got 9 at index 1"],
    [({ scheduler }) => scheduler.setTimesteps([1000, 0]), RangeError, '"steps"', "[0, 999]", "got 1000 at index 0"],
    [({ scheduler }) => scheduler.setTimesteps([5, -1]), RangeError, '"steps"', "[0, 999]", "got -1 at index 1"],
    [({ scheduler }) => scheduler.setTimesteps([9, 1.5]), RangeError, '"steps"', "integers", "got 1.5 at index 1"],
    [({ scheduler }) => scheduler.setTimesteps([9, "1"]), TypeError, '"steps"', "integers", '[9, "1"]'],
    [({ scheduler }) => scheduler.setTimesteps(BigInt64Array.of(1n, 2n)), RangeError, '"steps"', "got 2n at index 1"],
    [
      ({ makeScheduler }) => makeScheduler({ stepsOffset: 1 }).setTimesteps(1000),
      RangeError,
      '"stepsOffset"',
      "below 1000",
      "got 1",
      "timestep 1000",
    ],
  ],

  "step's model output and sample": [
    [({ step, sample }) => step({ sample: 950, timestep: sample }), TypeError, "(modelOutput, sample, timestep)"],
    [({ step }) => step({ modelOutput: undefined }), TypeError, '"modelOutput"', "{ data, dims }", "got undefined"],
    [({ step }) => step({ modelOutput: null }), TypeError, '"modelOutput"', "{ data, dims }", "got null"],
    [({ step }) => step({ modelOutput: 0.5 }), TypeError, '"modelOutput"', "{ data, dims }", "got 0.5"],
    [({ step }) => step({ sample: "x" }), TypeError, '"sample"', "{ data, dims }", 'got "x"'],
    [({ step }) => step({ sample: 1 }), TypeError, '"sample"', "{ data, dims }", "got 1"],
    [({ step, float64 }) => step({ sample: float64(6) }), TypeError, '"sample"', "Float32Array", "got Float64Array(6)"],
    [({ step }) => step({ sample: [1, 2, 3] }), TypeError, '"sample', "Float32Array"],
    [({ step }) => step({ sample: new ArrayBuffer(24) }), TypeError, '"sample', "Float32Array"],
    [
      ({ step, float32 }) => step({ sample: new DataView(float32(6).buffer) }),
      TypeError,
      '"sample',
      "got DataView(24)",
    ],
    [({ step }) => step({ sample: {} }), TypeError, '"sample', "Float32Array", "got undefined"],
    [
      ({ step, float64 }) => step({ modelOutput: { data: float64(6), dims: [2, 3] } }),
      TypeError,
      '"modelOutput.data"',
      "Float32Array",
      "got Float64Array(6)",
    ],
    [({ step }) => step({ sample: { data: [1, 2], dims: [2, 1] } }), TypeError, '"sample.data"', "got [1, 2]"],
    [({ step, float32 }) => step({ sample: { data: float32(6) } }), TypeError, '"sample.dims"', "got undefined"],
    [({ step, float32 }) => step({ sample: { data: float32(6), dims: 6 } }), TypeError, '"sample.dims"', "got 6"],
    [
      ({ step, float32 }) => step({ sample: { data: float32(6), dims: ["2", "3"] } }),
      TypeError,
      '"sample.dims"',
      '"2"',
    ],
    [
      ({ step, float32 }) => step({ sample: { data: float32(6), dims: [] } }),
      RangeError,
      '"sample.dims"',
      "at least one",
    ],
    [
      ({ step, float32 }) => step({ sample: { data: float32(6), dims: [-2, -3] } }),
      RangeError,
      '"sample.dims"',
      "integers >= 0",
      "got [-2, -3]",
    ],
    [({ step, float32 }) => step({ sample: { data: float32(6), dims: [4, 1.5] } }), RangeError, '"sample.dims"', "1.5"],
    [({ step, float32 }) => step({ sample: { data: float32(6), dims: [2, NaN] } }), RangeError, '"sample.dims"', "NaN"],
    [
      ({ step, float32 }) => step({ sample: { data: float32(6), dims: [2, 4] } }),
      RangeError,
      '"sample.dims"',
      "[2, 4]",
    ],
    [
      ({ step, halves }) => step({ sample: { data: halves(6), dims: [2, 3], type: "uint16" } }),
      TypeError,
      '"sample.type"',
      '"float16"',
      'got "uint16"',
    ],
    [
      ({ step, float32 }) => step({ modelOutput: { data: float32(6), dims: [2, 3], type: "float16" } }),
      TypeError,
      '"modelOutput.type"',
      '"float32"',
      'got "float16"',
    ],
    [
      ({ step, halves }) => step({ modelOutput: { data: halves(6), dims: [2, 3] } }),
      TypeError,
      '"modelOutput"',
      "float32",
      '"sample"',
      "got Uint16Array(6)",
    ],
    [({ step, float32 }) => step({ modelOutput: float32(5) }), RangeError, '"modelOutput"', "6", '"sample"', "got 5"],
    [({ step, float32 }) => step({ sample: float32(0) }), RangeError, '"modelOutput"', "0", "got 6"],
    [
      ({ step, tensor }) => step({ modelOutput: tensor(3, 2) }),
      RangeError,
      '"modelOutput.dims"',
      "expected [2, 3]",
      "got [3, 2]",
    ],
    [({ step, tensor }) => step({ modelOutput: tensor(4, 3) }), RangeError, '"modelOutput"', "6 elements", "got 12"],
    [
      ({ makeScheduler, sample, modelOutput }) => {
        class Unmakeable {
          data = sample.data;
          dims = sample.dims;
          constructor(key: unknown) {
            if (key !== nothing) throw new Error("no");
          }
        }
        return makeScheduler().step(modelOutput, new Unmakeable(nothing), 950);
      },
      TypeError,
      '"sample"',
      "(type, data, dims)",
    ],
  ],

  "step's timestep": [
    [({ step }) => step({ timestep: undefined }), TypeError, '"timestep"', "an integer", "got undefined"],
    [({ step }) => step({ timestep: null }), TypeError, '"timestep"', "got null"],
    [({ step }) => step({ timestep: "950" }), TypeError, '"timestep"', "an integer", 'got "950"'],
    [({ step }) => step({ timestep: true }), TypeError, '"timestep"', "got true"],
    [({ step }) => step({ timestep: {} }), TypeError, '"timestep"', "got an object"],
    [({ step }) => step({ timestep: -1 }), RangeError, '"timestep"', "[0, 999]", "got -1"],
    [({ step }) => step({ timestep: 1000 }), RangeError, '"timestep"', "[0, 999]", "got 1000"],
    [({ step }) => step({ timestep: 1000n }), RangeError, '"timestep"', "[0, 999]", "got 1000"],
    [({ step }) => step({ timestep: -(2n ** 64n) }), RangeError, '"timestep"', "[0, 999]"],
    [({ step }) => step({ timestep: 1.5 }), RangeError, '"timestep"', "integer", "got 1.5"],
    [({ step }) => step({ timestep: NaN }), RangeError, '"timestep"', "integer", "got NaN"],
    [({ step }) => step({ timestep: [950] }), RangeError, '"timestep"', "2", "got [950]"],
    [({ step }) => step({ timestep: [950, 900, 850] }), RangeError, '"timestep"', "2", "got [950, 900, 850]"],
    [({ step }) => step({ timestep: [] }), RangeError, '"timestep"', "2", "got []"],
    [({ step }) => step({ timestep: [950, "900"] }), TypeError, '"timestep[1]"', 'got "900"'],
    [({ step }) => step({ timestep: [1000, 900] }), RangeError, '"timestep[0]"', "[0, 999]", "got 1000"],
    [({ step }) => step({ timestep: BigInt64Array.of(0n, -1n) }), RangeError, '"timestep[1]"', "got -1"],
    [
      ({ step, float32 }) => step({ modelOutput: float32(6), sample: float32(6), timestep: [9, 8, 7, 6] }),
      RangeError,
      '"timestep" expected as many timesteps as divide the 6 elements of "sample", got 4',
    ],
    [
      ({ DDIMScheduler, modelOutput, sample }) => new DDIMScheduler().step(modelOutput, sample, 950),
      Error,
      "call setTimesteps first",
    ],
    [
      ({ makeScheduler, modelOutput, sample }) =>
        makeScheduler({ previousTimestep: "schedule" }).step(modelOutput, sample, 949),
      RangeError,
      '"timestep"',
      "scheduler.timesteps",
      "prevTimestep",
      "got 949",
    ],
    [
      ({ makeScheduler, modelOutput, sample }) => makeScheduler({}, [900, 100]).step(modelOutput, sample, [900, 101]),
      RangeError,
      '"timestep',
      "scheduler.timesteps",
      "got 101",
    ],
    [
      ({ makeScheduler, modelOutput, sample }) =>
        makeScheduler({ rescaleBetasZeroSnr: true, timestepSpacing: "trailing" }).step(modelOutput, sample, 999),
      RangeError,
      '"timestep"',
      "alphasCumprod[999] is 0",
      '"v_prediction"',
      '"sample"',
      "got 999",
    ],
  ],

  "step's options": [
    [({ step }) => step({}, 0.5), TypeError, '"options" expected a plain object, got 0.5'],
    [({ step }) => step({}, null), TypeError, '"options" expected a plain object, got null'],
    [({ step }) => step({}, { Eta: 1 }), TypeError, '"options"', '"Eta"', "eta"],
    [({ step }) => step({}, { use_clipped_model_output: true }), TypeError, '"use_clipped_model_output"'],
    [({ step }) => step({}, { eta: 2 }), RangeError, '"eta" expected a number in [0, 1], got 2'],
    [({ step }) => step({}, { eta: -0.01 }), RangeError, '"eta" expected a number in [0, 1], got -0.01'],
    [({ step }) => step({}, { eta: NaN }), RangeError, '"eta" expected a number in [0, 1], got NaN'],
    [({ step }) => step({}, { eta: "1" }), TypeError, '"eta" expected a number in [0, 1], got "1"'],
    [({ step }) => step({}, { eta: null }), TypeError, '"eta" expected a number in [0, 1], got null'],
    [
      ({ step }) => step({}, { useClippedModelOutput: 1 }),
      TypeError,
      '"useClippedModelOutput" expected a boolean, got 1',
    ],
    [({ step }) => step({}, { returnDict: "true" }), TypeError, '"returnDict" expected a boolean, got "true"'],
    [({ step }) => step({}, { eta: 1, generator: 42 }), TypeError, '"generator"', "Generator", "got 42"],
    [({ step }) => step({}, { eta: 1, generator: null }), TypeError, '"generator"', "Generator", "got null"],
    [({ step }) => step({}, { eta: 0, generator: {} }), TypeError, '"generator"', "Generator", "got an object"],
    [
      ({ step, generator }) => step({}, { eta: 1, generator: [generator, Math.random] }),
      TypeError,
      '"generator"',
      "Generator",
      "got a function",
    ],
    [
      ({ step }) => step({}, { eta: 1, generator: new implementations.scalar.Generator(1) }),
      TypeError,
      '"generator"',
      "of this copy",
    ],
    [({ step }) => step({}, { eta: 1, generator: [] }), RangeError, '"generator"', "2", "got 0"],
    [
      ({ step, generator }) => step({}, { eta: 1, generator: [generator, generator, generator] }),
      RangeError,
      '"generator"',
      "batch",
      "got 3",
    ],
    [
      ({ step, generator, tensor }) => step({}, { eta: 1, generator, varianceNoise: tensor(2, 3) }),
      TypeError,
      '"generator"',
      '"varianceNoise"',
    ],
    [({ step }) => step({}, { eta: 1, varianceNoise: 1 }), TypeError, '"varianceNoise"', "{ data, dims }", "got 1"],
    [({ step }) => step({}, { eta: 1, varianceNoise: null }), TypeError, '"varianceNoise"', "got null"],
    [
      ({ step, float32 }) => step({}, { eta: 1, varianceNoise: float32(3) }),
      RangeError,
      '"varianceNoise"',
      "6 elements",
      "got 3",
    ],
    [
      ({ step, tensor }) => step({}, { eta: 1, varianceNoise: tensor(3, 2) }),
      RangeError,
      '"varianceNoise.dims"',
      "[2, 3]",
      "got [3, 2]",
    ],
    [
      ({ step, halves }) => step({}, { eta: 1, varianceNoise: halves(6) }),
      TypeError,
      '"varianceNoise"',
      "float32",
      "got Uint16Array(6)",
    ],
    [({ step }) => step({}, { prevTimestep: "900" }), TypeError, '"prevTimestep"', "an integer", 'got "900"'],
    [({ step }) => step({}, { prevTimestep: null }), TypeError, '"prevTimestep"', "got null"],
    [({ step }) => step({}, { prevTimestep: 1000 }), RangeError, '"prevTimestep"', "<= 999", "got 1000"],
    [({ step }) => step({}, { prevTimestep: 1.5 }), RangeError, '"prevTimestep"', "an integer", "got 1.5"],
    [({ step }) => step({}, { prevTimestep: -Infinity }), RangeError, '"prevTimestep"', "an integer", "got -Infinity"],
    [({ step }) => step({}, { prevTimestep: [900] }), RangeError, '"prevTimestep"', "2", "got [900]"],
    [({ step }) => step({}, { prevTimestep: [900, NaN] }), RangeError, '"prevTimestep[1]"', "got NaN"],
    [
      ({ step, tensor }) => step({ modelOutput: tensor(4, 3) }, { guidanceScale: "7.5" }),
      TypeError,
      '"guidanceScale"',
      "number",
      'got "7.5"',
    ],
    [
      ({ step, tensor }) => step({ modelOutput: tensor(4, 3) }, { guidanceScale: Infinity }),
      RangeError,
      '"guidanceScale"',
      "a finite number",
      "got Infinity",
    ],
    [
      ({ step, tensor }) => step({ modelOutput: tensor(4, 3) }, { guidanceScale: NaN }),
      RangeError,
      '"guidanceScale"',
      "a finite number",
      "got NaN",
    ],
    [
      ({ step }) => step({}, { guidanceScale: 1 }),
      RangeError,
      '"modelOutput"',
      "12 elements",
      "guidanceScale",
      "got 6",
    ],
    [
      ({ step, float32 }) => step({ modelOutput: float32(12) }, { guidanceScale: 1 }),
      TypeError,
      '"modelOutput"',
      "a tensor with dims under guidanceScale",
      "doubled channels",
      "got Float32Array(12)",
    ],
    [
      ({ step, tensor }) => step({ modelOutput: tensor(2, 6) }, { guidanceScale: 1 }),
      RangeError,
      '"modelOutput.dims"',
      "[4, 3]",
      "got [2, 6]",
    ],
    [
      ({ step, tensor }) => step({ modelOutput: tensor(4, 3) }, { guidanceScale: 1, guidanceRescale: "0.7" }),
      TypeError,
      '"guidanceRescale"',
      'got "0.7"',
    ],
    [
      ({ step, tensor }) => step({ modelOutput: tensor(4, 3) }, { guidanceScale: 1, guidanceRescale: NaN }),
      RangeError,
      '"guidanceRescale"',
      "got NaN",
    ],
    [
      ({ step, tensor }) => step({ modelOutput: tensor(4, 3) }, { guidanceScale: 1, guidanceRescale: 1.5 }),
      RangeError,
      '"guidanceRescale" expected a number in [0, 1], got 1.5',
    ],
    [({ step }) => step({}, { guidanceRescale: 0.7 }), TypeError, '"guidanceRescale"', "guidanceScale"],
    [({ step }) => step({}, { out: 6 }), TypeError, '"out"', "{ data, dims }", "got 6"],
    [({ step }) => step({}, { out: null }), TypeError, '"out"', "got null"],
    [({ step, float64 }) => step({}, { out: float64(6) }), TypeError, '"out"', "got Float64Array(6)"],
    [({ step, halves }) => step({}, { out: halves(6) }), TypeError, '"out"', "float32", "got Uint16Array(6)"],
    [({ step, float32 }) => step({}, { out: float32(7) }), RangeError, '"out"', "6 elements", "got 7"],
    [({ step, tensor }) => step({}, { out: tensor(1, 6) }), RangeError, '"out.dims"', "[2, 3]", "got [1, 6]"],
    [
      ({ step, tensor }) => step({ modelOutput: tensor(4, 3) }, { guidanceScale: 1, out: tensor(4, 3) }),
      RangeError,
      '"out"',
      "6 elements",
      "got 12",
    ],
    [
      // The last thing that is checked, when there is a result to write to and a generator to draw from.
      ({ step, tensor, generator, float32 }) =>
        step({}, { eta: 1, generator, out: { data: tensor(2, 3).data, dims: float32(2) }, returnDict: true }),
      RangeError,
      '"out.dims"',
    ],
  ],

  "addNoise and getVelocity": [
    [({ scheduler, sample }) => scheduler.addNoise(undefined, sample, 0), TypeError, '"originalSamples"', "undefined"],
    [({ scheduler, sample }) => scheduler.addNoise(sample, 0.5, 0), TypeError, '"noise"', "got 0.5"],
    [
      ({ scheduler, sample, float32 }) => scheduler.addNoise(sample, float32(5), 0),
      RangeError,
      '"noise"',
      "6",
      "got 5",
    ],
    [
      ({ scheduler, sample, tensor }) => scheduler.addNoise(sample, tensor(3, 2), 0),
      RangeError,
      '"noise.dims"',
      "[3, 2]",
    ],
    [({ scheduler, sample, halves }) => scheduler.addNoise(sample, halves(6), 0), TypeError, '"noise"', "float32"],
    [({ scheduler, sample }) => scheduler.addNoise(sample, sample), TypeError, '"timesteps"', "got undefined"],
    [({ scheduler, sample }) => scheduler.addNoise(sample, sample, 1000), RangeError, '"timesteps"', "[0, 999]"],
    [({ scheduler, sample }) => scheduler.addNoise(sample, sample, [0, 1, 2]), RangeError, '"timesteps"', "[0, 1, 2]"],
    [({ scheduler, sample }) => scheduler.addNoise(sample, sample, [0, -1]), RangeError, '"timesteps[1]"', "got -1"],
    [({ scheduler, sample }) => scheduler.addNoise(sample, sample, 0, { eta: 0 }), TypeError, '"eta"', "out"],
    [
      ({ scheduler, sample }) => scheduler.addNoise(sample, sample, 0, 1),
      TypeError,
      '"options"',
      "a plain object",
      "got 1",
    ],
    [
      ({ scheduler, sample, float32 }) => scheduler.addNoise(sample, sample, 0, { out: float32(12) }),
      RangeError,
      '"out"',
      '"originalSamples"',
      "got 12",
    ],
    [
      ({ scheduler, sample }) => scheduler.getVelocity({ dims: [1] }, sample, 0),
      TypeError,
      '"sample.data"',
      "undefined",
    ],
    [({ scheduler, sample }) => scheduler.getVelocity(sample, null, 0), TypeError, '"noise"', "got null"],
    [({ scheduler, sample }) => scheduler.getVelocity(sample, sample, 0.5), RangeError, '"timesteps"', "got 0.5"],
    [
      ({ scheduler, sample, halves }) => scheduler.getVelocity(sample, sample, 0, { out: halves(6) }),
      TypeError,
      '"out"',
      "float32",
    ],
  ],

  DDIMInverseScheduler: [
    [({ makeInverse }) => makeInverse({ eta: 0 }), TypeError, '"eta"'],
    [
      ({ makeInverse, modelOutput, sample }) => makeInverse({}).step(modelOutput, sample, 0, { eta: 0 }),
      TypeError,
      '"eta"',
    ],
    [
      ({ makeInverse, modelOutput, sample }) =>
        makeInverse({}).step(modelOutput, sample, 0, { useClippedModelOutput: true }),
      TypeError,
      '"useClippedModelOutput"',
    ],
    [
      ({ makeInverse, modelOutput, sample }) => makeInverse({}).step(modelOutput, sample, 1000),
      RangeError,
      '"timestep"',
      "[0, 999]",
      "got 1000",
    ],
    [
      ({ makeInverse, modelOutput, sample, float32 }) =>
        makeInverse({}).step(modelOutput, sample, 0, { out: float32(5) }),
      RangeError,
      '"out"',
      "6 elements",
      "got 5",
    ],
    [
      ({ makeInverse, modelOutput, sample }) => makeInverse({ predictionType: "sample" }).step(modelOutput, sample, 0),
      RangeError,
      "setAlphaToOne: false",
    ],
    [
      ({ makeInverse, modelOutput, sample }) =>
        makeInverse({ previousTimestep: "schedule" }).step(modelOutput, sample, 1),
      RangeError,
      '"timestep"',
      "scheduler.timesteps",
      "got 1",
    ],
    [
      ({ DDIMInverseScheduler, modelOutput, sample }) => new DDIMInverseScheduler().step(modelOutput, sample, 0),
      Error,
      "call setTimesteps first",
    ],
  ],

  "DDIMScheduler.fromConfig": [
    [({ DDIMScheduler }) => DDIMScheduler.fromConfig(), TypeError, '"config"', "got undefined"],
    [({ DDIMScheduler }) => DDIMScheduler.fromConfig(null), TypeError, '"config"', "got null"],
    [({ DDIMScheduler }) => DDIMScheduler.fromConfig(5), TypeError, '"config"', "text or parsed", "got 5"],
    [({ DDIMScheduler }) => DDIMScheduler.fromConfig([]), TypeError, '"config"', "got []"],
    [({ DDIMScheduler }) => DDIMScheduler.fromConfig("config.json"), TypeError, '"config"', 'got "config.json"'],
    [({ DDIMScheduler }) => DDIMScheduler.fromConfig("null"), TypeError, '"config"', "as text or parsed", "got null"],
    [({ DDIMScheduler }) => DDIMScheduler.fromConfig("[1]"), TypeError, '"config"', "as text or parsed", "got [1]"],
    [({ DDIMScheduler }) => DDIMScheduler.fromConfig({}, null), TypeError, '"overrides"', "a plain object", "got null"],
    [({ DDIMScheduler }) => DDIMScheduler.fromConfig({}, { beta_end: 1 }), TypeError, '"overrides"', '"beta_end"'],
    [({ DDIMScheduler }) => DDIMScheduler.fromConfig({}, { betaEnd: 2 }), RangeError, '"betaEnd"', "(0, 1]", "got 2"],
    [
      ({ DDIMScheduler }) => DDIMScheduler.fromConfig({ beta_schedule: "laplace" }),
      RangeError,
      '"betaSchedule"',
      'one of "linear"',
      'got "laplace"',
    ],
    [
      ({ DDIMScheduler }) => DDIMScheduler.fromConfig('{ "prediction_type": "flow_prediction" }'),
      RangeError,
      '"predictionType"',
      'got "flow_prediction"',
    ],
    [
      ({ DDIMScheduler }) => DDIMScheduler.fromConfig({ num_train_timesteps: "1000" }),
      TypeError,
      '"numTrainTimesteps"',
      'got "1000"',
    ],
    [({ DDIMScheduler }) => DDIMScheduler.fromConfig({ trained_betas: [0.1, 2] }), RangeError, "beta 1", "2"],
  ],

  Generator: [
    [({ Generator }) => new Generator(1.5), RangeError, '"seed"', "an integer in [-2^63, 2^64 - 1]", "got 1.5"],
    [({ Generator }) => new Generator(NaN), RangeError, '"seed"', "got NaN"],
    [({ Generator }) => new Generator(2 ** 53), RangeError, '"seed"', "a bigint beyond 2^53", "got 9007199254740992"],
    [({ Generator }) => new Generator(2n ** 64n), RangeError, '"seed"', "got 18446744073709551616n"],
    [({ Generator }) => new Generator("42"), TypeError, '"seed"', 'got "42"'],
    [({ Generator }) => new Generator(null), TypeError, '"seed"', "got null"],
    [({ generator }) => generator.manualSeed(), TypeError, '"seed"', "got undefined"],
    [({ generator }) => generator.manualSeed(-(2n ** 63n) - 1n), RangeError, '"seed"', "got -9223372036854775809n"],
    [({ generator }) => generator.randn(), TypeError, '"dims"', "integers >= 0", "got undefined"],
    [({ generator }) => generator.randn(4), TypeError, '"dims"', "an array", "got 4"],
    [({ generator }) => generator.randn([]), RangeError, '"dims"', "at least one", "got []"],
    [({ generator }) => generator.randn([2, -1]), RangeError, '"dims"', ">= 0", "got [2, -1]"],
    [({ generator }) => generator.randn([2.5]), RangeError, '"dims"', "integers", "got [2.5]"],
    [({ generator }) => generator.randn(["4"]), TypeError, '"dims"', "integers", 'got ["4"]'],
    [({ generator }) => generator.randn([2 ** 40, 2 ** 40]), RangeError, '"dims"', "got [1099511627776"],
    [({ generator }) => generator.randn([4], null), TypeError, '"options" expected a plain object, got null'],
    [({ generator }) => generator.randn([4], { dtype: "float16" }), TypeError, '"dtype"', "type, out"],
    [
      ({ generator }) => generator.randn([4], { type: "float64" }),
      RangeError,
      '"type" expected one of "float32", "float16", got "float64"',
    ],
    [({ generator }) => generator.rand([4], { type: 32 }), TypeError, '"type"', "got 32"],
    [({ generator }) => generator.rand([4], { out: [0, 0, 0, 0] }), TypeError, '"out'],
    [
      ({ generator, float32 }) => generator.rand([4], { out: float32(5) }),
      RangeError,
      '"out"',
      "[4]",
      "Float32Array(5)",
    ],
    [({ generator, tensor }) => generator.randn([4], { out: tensor(2, 2) }), RangeError, '"out', "[4]", "got [2, 2]"],
    [
      ({ generator, halves }) => generator.randn([4], { type: "float32", out: halves(4) }),
      TypeError,
      '"out"',
      "float32",
      "Uint16Array",
    ],
    [
      ({ generator, float32 }) => generator.randn([4], { type: "float16", out: float32(4) }),
      TypeError,
      '"out"',
      "float16",
      "Float32Array",
    ],
    [({ generator }) => generator.randint(5, 5, [1]), RangeError, '"high"', "[6, 2147483648]", "got 5"],
    [({ generator }) => generator.randint(0.5, 5, [1]), RangeError, '"low"', "an integer", "got 0.5"],
    [({ generator }) => generator.randint(0, 2 ** 31 + 1, [1]), RangeError, '"high"', "2147483648", "got 2147483649"],
    [({ generator }) => generator.randint(0, 10n, [1]), TypeError, '"high"', "got 10n"],
    [({ generator }) => generator.randint("0", 10, [1]), TypeError, '"low"', 'got "0"'],
    [({ generator }) => generator.randint(0, 10), TypeError, '"dims"', "got undefined"],
    [({ generator }) => generator.setState("state"), TypeError, '"state"', "Uint8Array of 5056 bytes", 'got "state"'],
    [({ generator, float64 }) => generator.setState(float64(632)), TypeError, '"state"', "got Float64Array(632)"],
    [({ generator }) => generator.setState(new Uint8Array(10)), RangeError, '"state"', "5056 bytes", "Uint8Array(10)"],
    [({ generator }) => generator.setState(new Uint8Array(5056)), RangeError, '"state"'],
  ],
};

/** Fails unless `error` is of exactly the class, and says all the pieces. */
function assertError(error: Any, expected: ErrorClass, pieces: readonly string[]): void {
  assert.ok(error instanceof Error, "nothing was thrown");
  assert.is(error.constructor, expected, `${error.name}: ${error.message}`);
  for (const piece of pieces) assert.ok(error.message.includes(piece), `${piece} is not in: ${error.message}`);
  assert.ok(error.message.length <= 500, `${error.message.length} characters`);
}

const expectedResults = makeWorld().go();

for (const [section, rows] of Object.entries(TABLE)) {
  for (const [call, expected, ...pieces] of rows) {
    test(`${section}: ${expected.name} ${pieces.join(" … ")}`, () => {
      const world = makeWorld();
      let error: unknown;
      try {
        call(world);
      } catch (thrown) {
        error = thrown;
      }
      assertError(error, expected, pieces);
      world.assertUnchanged();
      assert.equal(world.go(), expectedResults);
    });
  }
}

const wasm = readFileSync(createRequire(import.meta.url).resolve("ddim-wasm/core.wasm"));

test("init: after the first use a module comes too late", async () => {
  const world = makeWorld();
  const error = await implementations.simd.init(wasm).catch((thrown: unknown) => thrown);
  assertError(error, Error, ['"source"', "too late", "call init before"]);
  world.assertUnchanged();
  assert.equal(world.go(), expectedResults);
});

test("init: a module that arrives after the first use comes too late", async () => {
  const library = await copy("used meanwhile");
  const loading = library.init(Promise.resolve(wasm)).catch((thrown: unknown) => thrown);
  const expected = makeWorld(library).go();
  assertError(await loading, Error, ['"source"', "too late", "call init before"]);
  assert.equal(makeWorld(library).go(), expected);
});

const { CompileError } = WebAssembly as Any;

const FAILED_LOADS: [what: string, source: () => Any, error: ErrorClass, ...pieces: string[]][] = [
  ["bytes of something else", () => new TextEncoder().encode("<!doctype html>"), CompileError],
  ["bytes that were cut off", () => wasm.subarray(0, 5000), CompileError],
  ["a promise that is rejected", () => Promise.reject(new RangeError("404")), RangeError, "404"],
];

for (const [what, source, expected, ...pieces] of FAILED_LOADS) {
  test(`init: ${what} leaves the library as it was`, async () => {
    const library = await copy(what);
    const error = await library.init(source()).catch((thrown: unknown) => thrown);
    assertError(error, expected, pieces);
    assert.equal(makeWorld(library).go(), expectedResults);
  });
}

test.run();
