// Steps of any sampler with any of its options, and their arguments.

import * as fc from "../fast-check.js";
import type { Library } from "../implementations.js";
import { type Data, type DType, normalData } from "../tensors.js";
import { makeScheduler, type SamplerCase, samplerCases, type SamplerName } from "./samplers.js";

export interface StepCase {
  readonly scheduler: SamplerCase;
  readonly type: DType;
  readonly batch: number;
  /** Channels, and values of each. */
  readonly shape: readonly [number, number];
  /** Which of the scheduler's timesteps, modulo their number: of the whole batch, or of each element. */
  readonly places: readonly number[];
  readonly perElement: boolean;
  readonly noise: "generator" | "generators" | "tensor";
  readonly eta: number | undefined;
  readonly useClippedModelOutput: boolean;
  readonly guidanceScale: number | undefined;
  readonly guidanceRescale: number;
  readonly learnedVariance: boolean;
  /** Which share of the way down a step goes, where it goes to a timestep of its own. */
  readonly prevShare: number | undefined;
  readonly hasHistory: boolean;
  /** How many places before a step's its history is, of each element: modulo those that there are. */
  readonly historyPlaces: readonly number[];
  readonly seed: number;
}

/** Steps on small tensors mostly, and on some that are larger than a piece. */
const shapes = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 40 })) },
  { weight: 1, arbitrary: fc.constantFrom([1, 5467], [3, 5500], [1, 16400], [1, 16401]) },
);

export function stepCases(samplers?: readonly SamplerName[]): fc.Arbitrary<StepCase> {
  return fc
    .record({
      scheduler: samplerCases(samplers),
      type: fc.constantFrom("float32", "float16"),
      batch: fc.integer({ min: 1, max: 4 }),
      shape: shapes,
      places: fc.array(fc.nat(7), { minLength: 4, maxLength: 4 }),
      perElement: fc.boolean(),
      noise: fc.constantFrom("generator", "generators", "tensor"),
      eta: fc.constantFrom(undefined, 0, 0.5, 1),
      useClippedModelOutput: fc.boolean(),
      guidanceScale: fc.constantFrom(undefined, undefined, 0, 1, 7.5, -2),
      guidanceRescale: fc.constantFrom(0, 0, 0.7, 1),
      learnedVariance: fc.boolean(),
      prevShare: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined, freq: 3 }),
      hasHistory: fc.boolean(),
      historyPlaces: fc.array(fc.nat(7), { minLength: 4, maxLength: 4 }),
      seed: fc.nat(2 ** 30),
    })
    .map((drawn) => drawn as StepCase);
}

/** A step's arguments as plain data: tensors are made of it wherever a test wants them. */
export interface StepArguments {
  readonly scheduler: any;
  readonly dims: number[];
  readonly outputDims: number[];
  readonly timesteps: readonly number[];
  /** The timesteps as one number, where all elements share it. */
  readonly timestep: number | readonly number[];
  /** The tensors, by their names; noise and history where the step has them. */
  readonly data: {
    readonly sample: Data;
    readonly modelOutput: Data;
    readonly varianceNoise?: Data;
    readonly history?: Data;
  };
  readonly historyTimesteps: readonly number[];
  /** The options that are no tensors, generators excepted. */
  readonly options: Record<string, unknown>;
  /** How many generators the step has: none, one, or one for each element. */
  readonly generators: number;
}

/** What a step of a case takes, in a library. */
export function prepare(library: Library, step: StepCase): StepArguments {
  const { sampler } = step.scheduler;
  const { batch, type, seed, learnedVariance } = step;
  const scheduler = makeScheduler(library, step.scheduler);
  const list: number[] = Array.from(scheduler.timesteps);
  const placeOf = (element: number): number => step.places[step.perElement ? element : 0]! % list.length;
  const elements = Array.from({ length: batch }, (_, i) => i);
  const timesteps = elements.map((element) => list[placeOf(element)]!);

  const guided = step.guidanceScale === undefined ? {} : { guidanceScale: step.guidanceScale };
  const isGuided = step.guidanceScale !== undefined;
  const options: Record<string, unknown> = { ...guided };
  if (isGuided && step.guidanceRescale > 0) options["guidanceRescale"] = step.guidanceRescale;
  if (learnedVariance) options["learnedVariance"] = true;
  if (step.prevShare !== undefined) {
    const own = timesteps.map((t) => Math.ceil(t * step.prevShare!) - 1);
    options["prevTimestep"] = step.perElement ? own : own[0];
  }
  const takesEta = sampler === "DDIMScheduler" || sampler === "TCDScheduler";
  if (takesEta && step.eta !== undefined) options["eta"] = step.eta;
  if (sampler === "DDIMScheduler") options["useClippedModelOutput"] = step.useClippedModelOutput;

  const takesNoise = takesEta || sampler === "LCMScheduler";
  const hasHistory =
    sampler === "DPMSolverMultistepScheduler" && step.hasHistory && elements.every((element) => placeOf(element) > 0);

  const [channels, length] = step.shape;
  const dims = [batch, channels, length];
  const total = batch * channels * length;
  const [doubled, twice] = [isGuided ? 2 : 1, learnedVariance ? 2 : 1];
  return {
    scheduler,
    dims,
    outputDims: [doubled * batch, twice * channels, length],
    timesteps,
    timestep: step.perElement ? timesteps : timesteps[0]!,
    data: {
      sample: normalData(seed, total, type),
      modelOutput: normalData(seed + 1, doubled * twice * total, type),
      ...(takesNoise && step.noise === "tensor" && { varianceNoise: normalData(seed + 2, total, type) }),
      ...(hasHistory && { history: normalData(seed + 3, total, type) }),
    },
    historyTimesteps: hasHistory
      ? elements.map((element) => list[step.historyPlaces[element]! % placeOf(element)]!)
      : [],
    options,
    generators: !takesNoise || step.noise === "tensor" ? 0 : step.noise === "generator" ? 1 : batch,
  };
}

/** The generators of a step: new ones, each with a seed of its own. */
export function makeGenerators(library: Library, count: number, seed: number): any[] {
  return Array.from({ length: count }, (_, i) => new library.Generator(seed + 17 * i));
}

/** The options of a step whose tensors are made of their data by `make`. */
export function stepOptions(
  library: Library,
  step: StepCase,
  args: StepArguments,
  make: (data: Data, dims: number[], name: string) => unknown,
): any {
  const { data, dims, generators } = args;
  const options: Record<string, unknown> = { ...args.options, returnDict: true };
  if (data.varianceNoise) options["varianceNoise"] = make(data.varianceNoise, dims, "varianceNoise");
  if (data.history) {
    options["history"] = {
      predOriginalSample: make(data.history, dims, "history"),
      timestep: args.historyTimesteps,
      numInferenceSteps: step.scheduler.steps,
    };
  }
  if (generators > 0) {
    const list = makeGenerators(library, generators, step.seed);
    options["generator"] = step.noise === "generators" ? list : list[0];
  }
  return options;
}

/** The data of both results of a step. */
export type Results = Record<"prevSample" | "predOriginalSample", Data>;

const plain = (data: Data, dims: number[]): object => ({ data: data.slice(), dims });

/** The results of a step on plain tensors, in memory of their own. */
export function takeStep(library: Library, step: StepCase, args = prepare(library, step)): Results {
  const { scheduler, data, dims, outputDims, timestep } = args;
  const options = stepOptions(library, step, args, plain);
  const result = scheduler.step(plain(data.modelOutput, outputDims), plain(data.sample, dims), timestep, options);
  return { prevSample: result.prevSample.data, predOriginalSample: result.predOriginalSample.data };
}
