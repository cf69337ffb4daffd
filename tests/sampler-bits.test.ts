// LCM, TCD and DPM-Solver++: the SIMD and the scalar module give the same bits.

import * as fc from "./fast-check.js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { implementations, type Library } from "./implementations.js";
import { assertSameBits, type Data, normalData } from "./tensors.js";

// Around the sizes of vectors, of the unrolled loops, of torch's blocks of 16, and of a staged piece.
const LENGTHS = [0, 1, 5, 15, 16, 17, 33, 1000, 16400, 16417, 40000];

const steps = fc.record({
  sampler: fc.constantFrom("lcm", "tcd", "midpoint", "heun"),
  type: fc.constantFrom("float32" as const, "float16" as const),
  seed: fc.nat(2 ** 31),
  offset: fc.nat(3),
  config: fc.record({
    betaSchedule: fc.constantFrom("linear", "scaled_linear", "squaredcos_cap_v2", "sigmoid"),
    predictionType: fc.constantFrom("epsilon", "sample", "v_prediction"),
    thresholding: fc.boolean(),
    dynamicThresholdingRatio: fc.constantFrom(0.995, 0.5),
    sampleMaxValue: fc.constantFrom(1, 1.5),
    computeDtype: fc.constantFrom("float32", "float16"),
  }),
  clipSample: fc.boolean(),
  finalSigmasType: fc.constantFrom("zero", "sigma_min"),
  batch: fc.nat(3),
  places: fc.array(fc.nat(7), { minLength: 3, maxLength: 3 }),
  timestepEach: fc.boolean(),
  guidanceScale: fc.constantFrom(undefined, 7.5),
  learnedVariance: fc.boolean(),
  returnDict: fc.boolean(),
  out: fc.constantFrom("none", "sample", "modelOutput", "history"),
});

type Step = typeof steps extends fc.Arbitrary<infer T> ? T : never;

function take(library: Library, step: Step, length: number): (Data | Uint8Array)[] {
  const { sampler, type, seed, offset, config, batch, guidanceScale, learnedVariance } = step;
  const total = batch * length;
  const dims = [batch, 1, length];
  const isDpm = sampler === "midpoint" || sampler === "heun";
  const Class = (
    isDpm ? library.DPMSolverMultistepScheduler : sampler === "lcm" ? library.LCMScheduler : library.TCDScheduler
  ) as any;
  const scheduler = new Class(
    isDpm
      ? { ...config, solverType: sampler, finalSigmasType: step.finalSigmasType }
      : { ...config, ...(sampler === "lcm" ? { clipSample: step.clipSample } : { thresholding: false }) },
  );
  scheduler.setTimesteps(8);
  const places = step.timestepEach ? step.places.slice(0, batch) : step.places[0]!;
  const timestepAt = (place: number): number => scheduler.timesteps[place];
  const timestep = Array.isArray(places) ? places.map(timestepAt) : timestepAt(places);
  const before = (place: number): number => scheduler.timesteps[place - 1] ?? 999;
  const guided = guidanceScale === undefined ? 1 : 2;
  const channels = learnedVariance ? 2 : 1;
  const sample = { data: normalData(seed, total, type, offset), dims };
  const modelOutput = {
    data: normalData(seed + 1, guided * channels * total, type, offset),
    dims: [guided * batch, channels, length],
  };
  const predOriginalSample = { data: normalData(seed + 2, total, type, offset), dims };
  const generator = new library.Generator(seed);
  // The first step of a run has no history.
  const hasHistory = isDpm && (Array.isArray(places) ? places.every((place) => place > 0) : places > 0);
  const history = {
    predOriginalSample,
    timestep: Array.isArray(places) ? places.map(before) : before(places),
  };
  const outs = {
    none: undefined,
    sample,
    modelOutput: { data: modelOutput.data.subarray(0, total), dims },
    history: predOriginalSample,
  };
  const result = scheduler.step(modelOutput, sample, timestep, {
    guidanceScale,
    learnedVariance,
    returnDict: step.returnDict,
    out: outs[step.out],
    ...(hasHistory && { history }),
    ...(!isDpm && { generator }),
  });
  const results = step.returnDict ? [result.prevSample, result.predOriginalSample] : [result];
  return [...results.map(({ data }) => data), generator.getState()];
}

for (const length of LENGTHS) {
  test(`steps on batch elements of ${length} values are the same in SIMD and scalar`, () => {
    fc.assert(
      fc.property(steps, (step) => {
        const [simd, scalar] = [take(implementations.simd, step, length), take(implementations.scalar, step, length)];
        simd.forEach((result, i) => {
          if (result instanceof Uint8Array) assert.equal(result, scalar[i], `state ${i}`);
          else assertSameBits(result, scalar[i] as Data, `result ${i}`);
        });
      }),
      { seed: length + 1, numRuns: 60 },
    );
  });
}

test("an input as the result's place gives what any other gives", () => {
  for (const length of [33, 16417]) {
    fc.assert(
      fc.property(steps, (step) => {
        const [expected] = take(implementations.simd, { ...step, out: "none" }, length);
        const [actual] = take(implementations.simd, step, length);
        assertSameBits(actual as Data, expected as Data);
      }),
      { seed: 1, numRuns: 60 },
    );
  }
});

test.run();
