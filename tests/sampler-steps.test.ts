// Steps of LCM, TCD and DPM-Solver++ against float64, and their timesteps against numpy's.

import type { LCMSchedulerOptions } from "ddim-wasm";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { relativeError } from "./golden.js";
import { implementations } from "./implementations.js";
import { distilledTimesteps, dpmTimesteps, SamplerOracle, type SamplerOptions } from "./sampler-oracle.js";
import { TorchRandom } from "./torch-random.js";

const DIMS = [3, 2, 5, 7];
const ELEMENT = 70;
const LENGTH = 210;
const PREDICTIONS = ["epsilon", "sample", "v_prediction"] as const;
const TOLERANCE = 1e-6;

/** x_0 of epsilon, as a whole or bounded: one rounding of the sample grows by 1 / sqrt(a_t). */
const originalTolerance = (alpha: number, predictionType: string): number =>
  predictionType === "epsilon" ? Math.max(TOLERANCE, 2e-7 / Math.sqrt(alpha)) : TOLERANCE;

/**
 * Unbounded, a step to a_p is as large as its error is. Where x_0 is bounded, its error is that of x_0 before it was, and
 * its share in the result is about sqrt(a_p).
 */
function stepTolerance(pairs: { alpha: number; target: number }[], options: SamplerOptions): number {
  const isBounded = options.thresholding || options.clipSample;
  if (!isBounded || options.predictionType !== "epsilon") return TOLERANCE;
  return Math.max(TOLERANCE, ...pairs.map(({ alpha, target }) => 2e-7 * Math.sqrt(target / alpha)));
}

const part = (data: ArrayLike<number>, element: number): Float64Array =>
  Float64Array.from({ length: ELEMENT }, (_, i) => data[element * ELEMENT + i]!);

const LATENTS = { betaSchedule: "scaled_linear", betaStart: 0.00085, betaEnd: 0.012, clipSample: false } as const;

/** What the three have in common, with the defaults of LCM and TCD. */
const SCHEDULES: SamplerOptions[] = [
  LATENTS,
  { ...LATENTS, betaSchedule: "linear" },
  { ...LATENTS, betaSchedule: "squaredcos_cap_v2" },
  { ...LATENTS, rescaleBetasZeroSnr: true },
  { ...LATENTS, numTrainTimesteps: 100 },
];
const BOUNDS: SamplerOptions[] = [
  {},
  { thresholding: true, dynamicThresholdingRatio: 0.9, sampleMaxValue: 1.5 },
  { thresholding: true, sampleMaxValue: 0.5 },
];
const CLIPPED: SamplerOptions = { clipSample: true, clipSampleRange: 0.8 };

let worst = 0;

function expectNear(actual: ArrayLike<number>, truth: Float64Array, what: string, tolerance = TOLERANCE): void {
  const error = relativeError(actual, truth);
  if (tolerance === TOLERANCE) worst = Math.max(worst, error);
  assert.ok(error <= tolerance, `${what}: ${error}`);
}

const join = (parts: Float64Array[]): Float64Array => Float64Array.from(parts.flatMap((each) => [...each]));

function cases(bounds: SamplerOptions[]): SamplerOptions[] {
  return SCHEDULES.flatMap((schedule) =>
    PREDICTIONS.flatMap((predictionType) => bounds.map((bound) => ({ ...schedule, predictionType, ...bound }))),
  );
}

const without = (options: SamplerOptions, ...names: (keyof SamplerOptions)[]): object =>
  Object.fromEntries(Object.entries(options).filter(([name]) => !names.includes(name as keyof SamplerOptions)));

for (const [name, library] of Object.entries(implementations)) {
  for (const [sampler, bounds] of [
    ["lcm", [...BOUNDS, CLIPPED]],
    ["tcd", [{}]],
  ] as const) {
    test(`${name}: ${sampler}: steps of a batch with a timestep each are within ${TOLERANCE} of float64`, () => {
      const Class = sampler === "lcm" ? library.LCMScheduler : library.TCDScheduler;
      cases([...bounds]).forEach((options, seed) => {
        for (const own of [{}, { originalInferenceSteps: 20, ...(sampler === "lcm" && { timestepScaling: 0.01 }) }]) {
          const scheduler = new Class({ ...options, ...own } as LCMSchedulerOptions);
          const oracle = new SamplerOracle({ ...options, ...own });
          for (const steps of [1, 4, 8]) {
            scheduler.setTimesteps(steps);
            const run = Array.from(scheduler.timesteps).filter(
              (t) => options.predictionType !== "epsilon" || oracle.alphas[t]! > 0,
            );
            const timesteps = [0, 1, 2].map((i) => run[Math.floor((i * run.length) / 3)]);
            if (timesteps[0] === undefined) continue;
            const list = timesteps as number[];
            const random = new TorchRandom(seed);
            const [x, m, z] = [random.randn(LENGTH), random.randn(LENGTH), random.randn(LENGTH)];
            for (const eta of sampler === "lcm" ? [undefined] : [undefined, 0, 1]) {
              const { prevSample, predOriginalSample } = scheduler.step(
                { data: m, dims: DIMS },
                { data: x, dims: DIMS },
                list,
                {
                  ...(eta !== undefined && ({ eta } as object)),
                  varianceNoise: { data: z, dims: DIMS },
                  returnDict: true,
                },
              );
              const truth = list.map((t, i) => {
                const at = scheduler.timesteps.indexOf(t);
                return oracle[sampler]({
                  sample: part(x, i),
                  modelOutput: part(m, i),
                  noise: part(z, i),
                  t,
                  p: scheduler.timesteps[at + 1] ?? null,
                  ...(eta !== undefined && { eta }),
                });
              });
              const what = `${JSON.stringify({ ...options, ...own })} ${steps} ${list} ${eta}`;
              const pairs = list.map((t) => {
                const p = scheduler.timesteps[scheduler.timesteps.indexOf(t) + 1];
                return { alpha: oracle.alphas[t]!, target: p === undefined ? 1 : oracle.alphas[p]! };
              });
              const prevTolerance = stepTolerance(pairs, options);
              expectNear(prevSample.data, join(truth.map(({ prev }) => prev)), `${what} prev`, prevTolerance);
              const least = Math.min(...list.map((t) => oracle.alphas[t]!));
              const tolerance = originalTolerance(least, options.predictionType!);
              const originals = join(truth.map(({ original }) => original));
              expectNear(predOriginalSample.data, originals, `${what} original`, tolerance);
            }
          }
        }
      });
    });
  }

  test(`${name}: dpm: steps of a batch with timesteps and histories of its own are within ${TOLERANCE} of float64`, () => {
    const own = [
      {},
      { solverOrder: 1 },
      { solverType: "heun", timestepSpacing: "trailing" },
      { finalSigmasType: "sigma_min", timestepSpacing: "leading", stepsOffset: 1 },
      { finalSigmasType: "sigma_min", lowerOrderFinal: false, solverType: "heun" },
      { finalSigmasType: "sigma_min", lowerOrderFinal: false, eulerAtFinal: true },
    ] satisfies SamplerOptions[];
    cases(BOUNDS).forEach((options, seed) => {
      for (const solver of own) {
        const scheduler = new library.DPMSolverMultistepScheduler({ ...without(options, "clipSample"), ...solver });
        const oracle = new SamplerOracle({ ...options, ...solver });
        for (const steps of [1, 5, 16, 20]) {
          scheduler.setTimesteps(steps);
          const run = scheduler.timesteps;
          const at = [Math.min(1, steps - 1), Math.floor(steps / 2), steps - 1];
          const list = at.map((i) => run[i]!);
          const before = at.map((i) => run[i - 1] ?? 999);
          const hasHistory = steps > 1 && list.every((t, i) => before[i]! > t);
          const random = new TorchRandom(seed);
          const [x, m, h] = [random.randn(LENGTH), random.randn(LENGTH), random.randn(LENGTH)];
          const { prevSample, predOriginalSample } = scheduler.step(
            { data: m, dims: DIMS },
            { data: x, dims: DIMS },
            list,
            {
              returnDict: true,
              history: hasHistory ? { predOriginalSample: { data: h, dims: DIMS }, timestep: before } : undefined,
            },
          );
          const truth = list.map((t, i) =>
            oracle.dpm({
              sample: part(x, i),
              modelOutput: part(m, i),
              t,
              p: run[at[i]! + 1] ?? null,
              steps,
              ...(hasHistory && { before: { x0: part(h, i), t: before[i]! } }),
            }),
          );
          const what = `${JSON.stringify({ ...options, ...solver })} ${steps} ${list}`;
          const pairs = at.map((i) => ({
            alpha: scheduler.alphasCumprod[run[i]!]!,
            target: run[i + 1] === undefined ? 1 : scheduler.alphasCumprod[run[i + 1]!]!,
          }));
          expectNear(
            prevSample.data,
            join(truth.map(({ prev }) => prev)),
            `${what} prev`,
            stepTolerance(pairs, options),
          );
          const least = Math.min(...list.map((t) => scheduler.alphasCumprod[t]!));
          const originals = join(truth.map(({ original }) => original));
          const tolerance = originalTolerance(least, options.predictionType!);
          expectNear(predOriginalSample.data, originals, `${what} original`, tolerance);
        }
      }
    });
  });
}

test("the largest error of all those steps", () => {
  console.log(`${worst.toExponential(2)} of max(1, |truth|)`);
  assert.ok(worst > 0 && worst <= TOLERANCE);
});

const { LCMScheduler, TCDScheduler, DPMSolverMultistepScheduler } = implementations.simd;

test("LCM and TCD: the timesteps of every N, of every number of distillation steps", () => {
  for (const Class of [LCMScheduler, TCDScheduler]) {
    for (const numTrainTimesteps of [50, 100, 999, 1000]) {
      for (const originalInferenceSteps of [1, 7, 20, 49, 50, null]) {
        const scheduler = new Class({ numTrainTimesteps, originalInferenceSteps });
        for (let steps = 1; steps <= Math.min(50, originalInferenceSteps ?? 50); steps++) {
          scheduler.setTimesteps(steps);
          const expected = distilledTimesteps(numTrainTimesteps, originalInferenceSteps, steps);
          assert.equal(Array.from(scheduler.timesteps), expected, `${numTrainTimesteps} ${steps}`);
          assert.is(scheduler.numInferenceSteps, steps);
        }
      }
    }
  }
});

test("LCM: timesteps that diffusers gives", () => {
  const scheduler = new LCMScheduler();
  scheduler.setTimesteps(4);
  assert.equal(Array.from(scheduler.timesteps), [999, 759, 499, 259]);
  scheduler.setTimesteps(8);
  assert.equal(Array.from(scheduler.timesteps), [999, 879, 759, 639, 499, 379, 259, 139]);
  scheduler.setTimesteps(10);
  assert.equal(Array.from(scheduler.timesteps), [999, 899, 799, 699, 599, 499, 399, 299, 199, 99]);
});

test("DPM-Solver++: the timesteps of every N, spacing and offset", () => {
  for (const numTrainTimesteps of [51, 100, 999, 1000]) {
    for (const timestepSpacing of ["linspace", "leading", "trailing"] as const) {
      for (const stepsOffset of [0, 1]) {
        const scheduler = new DPMSolverMultistepScheduler({ numTrainTimesteps, timestepSpacing, stepsOffset });
        for (let steps = 1; steps <= 50; steps++) {
          const expected = dpmTimesteps(numTrainTimesteps, timestepSpacing, steps, stepsOffset);
          if (expected[0]! >= numTrainTimesteps) {
            assert.throws(() => scheduler.setTimesteps(steps), /stepsOffset/);
            continue;
          }
          scheduler.setTimesteps(steps);
          assert.equal(Array.from(scheduler.timesteps), expected, `${numTrainTimesteps} ${timestepSpacing} ${steps}`);
        }
      }
    }
  }
});

test("numbers of steps that there are not", () => {
  for (const Class of [LCMScheduler, TCDScheduler]) {
    const scheduler = new Class();
    for (const steps of [0, 51, 1.5, NaN])
      assert.throws(() => scheduler.setTimesteps(steps), /\[1, originalInferenceSteps = 50\]/);
    assert.throws(() => scheduler.setTimesteps("4" as never), TypeError);
    assert.is(scheduler.numInferenceSteps, null);
    assert.throws(
      () => new Class({ numTrainTimesteps: 20 }).setTimesteps(2),
      /"originalInferenceSteps" expected at most numTrainTimesteps = 20, got 50/,
    );
    const own = new Class({ numTrainTimesteps: 20 });
    own.setTimesteps([19, 9]);
    assert.equal(Array.from(own.timesteps), [19, 9]);
  }
  // The thousandth step would visit a timestep twice.
  for (const timestepSpacing of ["linspace", "leading"] as const) {
    const scheduler = new DPMSolverMultistepScheduler({ timestepSpacing });
    scheduler.setTimesteps(999);
    assert.is(new Set(scheduler.timesteps).size, 999);
    assert.throws(() => scheduler.setTimesteps(1000), /\[1, numTrainTimesteps - 1 = 999\]/);
  }
  const trailing = new DPMSolverMultistepScheduler({ timestepSpacing: "trailing" });
  trailing.setTimesteps(1000);
  assert.is(new Set(trailing.timesteps).size, 1000);
});

test.run();
