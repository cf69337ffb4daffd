import type { DDIMSchedulerOptions } from "ddim-wasm";
import * as fc from "./fast-check.js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { implementations } from "./implementations.js";
import { Oracle } from "./oracle.js";
import { TorchRandom } from "./torch-random.js";

const OPTIONS = fc.record({
  schedule: fc.constantFrom<DDIMSchedulerOptions>(
    {},
    { betaSchedule: "linear" },
    { betaSchedule: "scaled_linear", betaStart: 0.00085, betaEnd: 0.012 },
    { betaSchedule: "sigmoid" },
    { numTrainTimesteps: 100 },
    { numTrainTimesteps: 37, betaSchedule: "linear", betaStart: 0.001, betaEnd: 0.2 },
  ),
  predictionType: fc.constantFrom("epsilon", "sample", "v_prediction"),
  timestepSpacing: fc.constantFrom("linspace", "leading", "trailing"),
  previousTimestep: fc.constantFrom("stride", "schedule"),
  rescaleBetasZeroSnr: fc.boolean(),
  setAlphaToOne: fc.boolean(),
  bound: fc.oneof(
    fc.constant<DDIMSchedulerOptions>({ clipSample: false }),
    fc.record({ clipSample: fc.constant(true), clipSampleRange: fc.constantFrom(0.5, 1, 2.5) }),
    fc.record({
      thresholding: fc.constant(true),
      dynamicThresholdingRatio: fc.constantFrom(0.001, 0.5, 0.9, 0.995, 1),
      sampleMaxValue: fc.constantFrom(0.5, 1, 1.5, 10, 1e6),
    }),
  ),
});

/** A share of a whole, evenly. */
const share = fc.noBias(fc.nat(2 ** 20)).map((n) => n / 2 ** 20);

const CALL = fc.record({
  // How many steps, from which timesteps and to which, as shares of what there is. One share is one number for the
  // whole batch, several are repeated over it.
  steps: share,
  timesteps: fc.array(share, { minLength: 1, maxLength: 4 }),
  prevTimestep: fc.option(fc.array(share, { minLength: 1, maxLength: 4 }), { nil: undefined }),
  batch: fc.integer({ min: 1, max: 4 }),
  bare: fc.boolean(),
  eta: fc.constantFrom(0, 0, 0.3, 1),
  source: fc.constantFrom("one generator", "a generator for each batch element", "a tensor"),
  useClippedModelOutput: fc.boolean(),
  guidance: fc.option(
    fc.record({ guidanceScale: fc.constantFrom(0, 1, 3, 7.5, -1), guidanceRescale: fc.constantFrom(0, 0, 0.7, 1) }),
    { nil: {} as { guidanceScale?: number; guidanceRescale?: number } },
  ),
  seed: fc.nat(2 ** 31),
});

/** Dimensions of batch elements: of rank 0 to 4, and some that pieces of 16,400 values cut in different places. */
const SMALL = fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 4 });
const LARGE = fc.constantFrom<number[]>([700], [16400], [16401], [3, 5000], [1, 24, 31, 25], [33000]);

type Generated<T> = T extends fc.Arbitrary<infer U> ? U : never;

/**
 * Fourteen roundings to float32 lie between the inputs and a result that uses everything, each of at most 2^-24 of the
 * terms: 8.3e-7 in all.
 */
const TOLERANCE = 1e-6;

/** The largest error of an element, over the magnitude of its terms. */
function termError(actual: ArrayLike<number>, truth: Float64Array, magnitudes: Float64Array): number {
  assert.is(actual.length, truth.length);
  let error = 0;
  for (let i = 0; i < truth.length; i++) {
    const difference = Math.abs(actual[i]! - truth[i]!);
    if (Number.isNaN(difference)) return Infinity;
    if (difference > error * magnitudes[i]!) error = difference / magnitudes[i]!;
  }
  return error;
}

function repeat<T>(items: readonly T[], length: number): T[] {
  return Array.from({ length }, (_, i) => items[i % items.length]!);
}

/** Takes a step with every implementation, and with the oracle. */
function check(options: Generated<typeof OPTIONS>, call: Generated<typeof CALL>, element: number[]): void {
  const { schedule, bound, ...rest } = options;
  const config: DDIMSchedulerOptions = { ...schedule, ...bound, ...rest };
  const oracle = new Oracle(config);
  const total = oracle.config.numTrainTimesteps;
  const steps = 1 + Math.round(call.steps * (total - 1));
  const run = new implementations.simd.DDIMScheduler(config);
  run.setTimesteps(steps);

  // A timestep without signal is no case for epsilon.
  const solvable = run.timesteps.filter((t) => rest.predictionType !== "epsilon" || oracle.alphaAt(t) > 0);
  fc.pre(solvable.length > 0);
  const { prevTimestep } = call;
  // A bare sample has as many batch elements as timesteps are given.
  const batch = call.bare ? call.timesteps.length : call.batch;
  const timesteps = repeat(call.timesteps, batch).map((share) => solvable[Math.round(share * (solvable.length - 1))]!);
  const previous = prevTimestep
    ? repeat(prevTimestep, batch).map((share) => Math.round(1.1 * share * total - 0.1 * total) - 1)
    : timesteps.map((t) => {
        if (rest.previousTimestep === "stride") return oracle.strideBefore(t, steps);
        return run.timesteps[run.timesteps.indexOf(t) + 1] ?? -1;
      });

  const dims = [batch, ...element];
  const length = dims.reduce((product, size) => product * size, 1);
  const random = new TorchRandom(call.seed);
  const sample = random.randn(length);
  const doubled = call.guidance.guidanceScale === undefined ? 1 : 2;
  const modelOutput = random.randn(doubled * length);
  const tensor = (data: Float32Array, times = 1) => (call.bare ? data : { data, dims: [times * batch, ...element] });

  // As many generators of noise as draws; their seeds follow one another.
  const draws = call.source === "a generator for each batch element" ? batch : 1;
  const torch = Array.from({ length: draws }, (_, i) => new TorchRandom(call.seed + i));
  const noise = new Float32Array(length);
  if (call.eta > 0) torch.forEach((one, i) => noise.set(one.randn(length / draws), (i * length) / draws));
  const wordsAfter = torch.map((one) => one.randint(0, 1000, 2));

  const { eta, useClippedModelOutput, guidance } = call;
  const shared = { eta, useClippedModelOutput, ...guidance };
  const truth = oracle.step({ ...shared, modelOutput, sample, timesteps, previous, noise });
  for (const [name, { DDIMScheduler, Generator }] of Object.entries(implementations)) {
    const scheduler = new DDIMScheduler(config);
    scheduler.setTimesteps(steps);
    const generators = torch.map((_, i) => new Generator(call.seed + i));
    const source =
      call.source === "a tensor"
        ? { varianceNoise: tensor(noise) }
        : { generator: call.source === "one generator" ? generators[0] : generators };
    const { prevSample, predOriginalSample } = scheduler.step(
      tensor(modelOutput, doubled),
      tensor(sample),
      call.timesteps.length === 1 ? timesteps[0]! : timesteps,
      {
        ...shared,
        ...source,
        prevTimestep: prevTimestep && (prevTimestep.length === 1 ? previous[0]! : previous),
        returnDict: true,
      },
    );
    const error = termError(valuesOf(prevSample), truth.prevSample, truth.prevMagnitudes);
    assert.ok(error <= TOLERANCE, `${name}: prevSample is ${error} off`);
    const originalError = termError(valuesOf(predOriginalSample), truth.predOriginalSample, truth.originalMagnitudes);
    assert.ok(originalError <= TOLERANCE, `${name}: predOriginalSample is ${originalError} off`);
    // eta = 0 draws nothing, any other eta once.
    if (call.source !== "a tensor") {
      const words = generators.map((one) => Array.from(one.randint(0, 1000, [2])));
      assert.equal(words, wordsAfter, `${name}: position of the generators`);
    }
  }
}

function valuesOf(tensor: Float32Array | { data: ArrayLike<unknown> }): Float32Array {
  return tensor instanceof Float32Array ? tensor : (tensor.data as Float32Array);
}

test("steps of small tensors", () => {
  fc.assert(fc.property(OPTIONS, CALL, SMALL, check), { seed: 1, numRuns: 1000 });
});

test("steps of tensors in several pieces", () => {
  fc.assert(fc.property(OPTIONS, CALL, LARGE, check), { seed: 2, numRuns: 30 });
});

test.run();
