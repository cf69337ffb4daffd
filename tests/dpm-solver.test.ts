// DPM-Solver++: its order, its history, and what it has in common with DDIM.

import type { DPMSolverMultistepSchedulerOptions, StepHistory } from "ddim-wasm";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { relativeError } from "./golden.js";
import { implementations } from "./implementations.js";
import { assertSameBits, normalData, normalTensor } from "./tensors.js";

const { DDIMScheduler, DPMSolverMultistepScheduler, allocate } = implementations.simd;
type Scheduler = InstanceType<typeof DPMSolverMultistepScheduler>;

const DIMS = [3, 2, 5, 7];

for (const predictionType of ["epsilon", "sample", "v_prediction"] as const) {
  for (const thresholding of [false, true]) {
    test(`order 1 is DDIM with eta 0 on the same timesteps: ${predictionType}, thresholding ${thresholding}`, () => {
      const shared = { predictionType, thresholding, betaSchedule: "linear", sampleMaxValue: 1.5 } as const;
      for (const finalSigmasType of ["zero", "sigma_min"] as const) {
        const dpm = new DPMSolverMultistepScheduler({ ...shared, finalSigmasType, solverOrder: 1 });
        const setAlphaToOne = finalSigmasType === "zero";
        const ddim = new DDIMScheduler({ ...shared, clipSample: false, setAlphaToOne });
        dpm.setTimesteps(20);
        ddim.setTimesteps(dpm.timesteps);
        const [x, m] = [normalTensor(1, DIMS), normalTensor(2, DIMS)];
        for (const t of dpm.timesteps) {
          // The paper's solver takes eps from the bounded x_0.
          const expected = ddim.step(m, x, t, { useClippedModelOutput: true, returnDict: true });
          const actual = dpm.step(m, x, t, { returnDict: true });
          assertSameBits(actual.prevSample.data, expected.prevSample.data);
          assertSameBits(actual.predOriginalSample.data, expected.predOriginalSample.data);
          // With order 2 the first step is of order 1, and so is the last one to "zero".
          const second = new DPMSolverMultistepScheduler({ ...shared, finalSigmasType });
          second.setTimesteps(20);
          assertSameBits(second.step(m, x, t).data, expected.prevSample.data);
        }
      }
    });
  }
}

// Gaussian data of mean MEAN and deviation DEVIATION: the best model and the flow have closed forms.
const [MEAN, DEVIATION] = [0.5, 0.2];

/** The flow keeps (x - signal mean) / deviation of x. */
function flow(x: number, from: number, to: number): number {
  const spread = (alpha: number) => Math.sqrt(alpha * DEVIATION ** 2 + 1 - alpha);
  return Math.sqrt(to) * MEAN + ((x - Math.sqrt(from) * MEAN) * spread(to)) / spread(from);
}

const bestModel = (x: Float32Array, alpha: number): Float32Array =>
  x.map((xi) => (Math.sqrt(1 - alpha) * (xi - Math.sqrt(alpha) * MEAN)) / (alpha * DEVIATION ** 2 + 1 - alpha));

/** The mean error after a run from timestep 900 to 100 in steps that are even in lambda. */
function errorOf(scheduler: Scheduler | InstanceType<typeof DDIMScheduler>, steps: number): number {
  const alphas = scheduler.alphasCumprod;
  const lambda = (t: number) => Math.log(alphas[t]! / (1 - alphas[t]!)) / 2;
  const [first, last] = [lambda(9000), lambda(1000)];
  const timesteps = Array.from({ length: steps + 1 }, (_, i) => {
    const wanted = first + ((last - first) * i) / steps;
    let nearest = 9000;
    for (let t = 9000; t >= 1000; t--)
      if (Math.abs(lambda(t) - wanted) < Math.abs(lambda(nearest) - wanted)) nearest = t;
    return nearest;
  });
  scheduler.setTimesteps(timesteps);
  const start = normalData(1, 512);
  let sample = start;
  let history: StepHistory | undefined;
  for (let i = 0; i < steps; i++) {
    const [t, prevTimestep] = [timesteps[i]!, timesteps[i + 1]!];
    const modelOutput = bestModel(sample, alphas[t]!);
    if (scheduler instanceof DDIMScheduler) sample = scheduler.step(modelOutput, sample, t, { prevTimestep });
    else {
      const result = scheduler.step(modelOutput, sample, t, { prevTimestep, history, returnDict: true });
      history = { predOriginalSample: result.predOriginalSample, timestep: t };
      sample = result.prevSample;
    }
  }
  const end = start.map((x) => flow(x, alphas[9000]!, alphas[1000]!));
  return sample.reduce((sum, x, i) => sum + Math.abs(x - end[i]!), 0) / sample.length;
}

for (const [name, options, order] of [
  ["DDIM", null, 1],
  ["DPM-Solver++ of order 1", { solverOrder: 1 }, 1],
  ["DPM-Solver++ of order 2, midpoint", {}, 2],
  ["DPM-Solver++ of order 2, heun", { solverType: "heun" }, 2],
] as [string, DPMSolverMultistepSchedulerOptions | null, number][]) {
  test(`on Gaussian data the error of ${name} falls as h^${order}`, () => {
    // So many training steps that rounding to one of them does not matter.
    const shared = { numTrainTimesteps: 10000, betaStart: 1e-5, betaEnd: 0.002, betaSchedule: "linear" } as const;
    const make = () =>
      options
        ? new DPMSolverMultistepScheduler({ ...shared, ...options })
        : new DDIMScheduler({ ...shared, clipSample: false });
    const errors = [8, 16, 32, 64].map((steps) => errorOf(make(), steps));
    console.log(`${name}: ${errors.map((error) => error.toExponential(2)).join(", ")}`);
    for (let i = 1; i < errors.length; i++) {
      const observed = Math.log2(errors[i - 1]! / errors[i]!);
      assert.ok(Math.abs(observed - order) < 0.25, `order ${observed} from ${errors[i - 1]} to ${errors[i]}`);
    }
  });
}

test("lowerOrderFinal: the last step is of order 1 in runs of fewer than 15 steps", () => {
  const [x, m, predOriginalSample] = [normalTensor(1, DIMS), normalTensor(2, DIMS), normalTensor(3, DIMS)];
  for (const steps of [14, 15]) {
    const scheduler = new DPMSolverMultistepScheduler({ finalSigmasType: "sigma_min" });
    scheduler.setTimesteps(steps);
    const [before, last] = scheduler.timesteps.slice(-2) as unknown as [number, number];
    const first = scheduler.step(m, x, last).data;
    const second = scheduler.step(m, x, last, { history: { predOriginalSample, timestep: before } }).data;
    assert.is(relativeError(second, first) > 1e-3, steps === 15, `${steps} steps`);
  }
});

test("steps are pure: a history is what they know of other steps", () => {
  const scheduler = new DPMSolverMultistepScheduler({ betaSchedule: "linear" });
  scheduler.setTimesteps(10);
  const [x, m, h] = [1, 2, 3].map((seed) => normalTensor(seed, DIMS)) as [Sample, Sample, Sample];
  const [before, t] = [scheduler.timesteps[3]!, scheduler.timesteps[4]!];
  const history = { predOriginalSample: h, timestep: before };
  const first = scheduler.step(m, x, t, { history });
  const without = scheduler.step(m, x, t);
  assert.not.equal(without.data, first.data);
  scheduler.step(h, m, before);
  assertSameBits(scheduler.step(m, x, t, { history }).data, first.data);
  assertSameBits(scheduler.step(m, x, t).data, without.data);
  // More than is asked of it may be in a history: the whole result of a step.
  const result = scheduler.step(m, x, before, { returnDict: true });
  assertSameBits(
    scheduler.step(m, x, t, { history: { ...result, timestep: before } }).data,
    scheduler.step(m, x, t, { history: { predOriginalSample: result.predOriginalSample, timestep: BigInt(before) } })
      .data,
  );
});

type Sample = ReturnType<typeof normalTensor<"float32">>;

test("a history in a result's place, resident or not, gives the same", () => {
  const scheduler = new DPMSolverMultistepScheduler();
  scheduler.setTimesteps(20);
  for (const dims of [DIMS, [1, 50000]]) {
    const [x, m, h] = [1, 2, 3].map((seed) => normalTensor(seed, dims)) as [Sample, Sample, Sample];
    const t = scheduler.timesteps[5]!;
    const timestep = scheduler.timesteps[4]!;
    const expected = scheduler.step(m, x, t, { history: { predOriginalSample: h, timestep } });
    const [rx, rm, rh] = [x, m, h].map((tensor) => {
      const resident = allocate(dims);
      resident.data.set(tensor.data);
      return resident;
    }) as [Resident, Resident, Resident];
    const history = { predOriginalSample: rh, timestep };
    scheduler.step(rm, rx, t, { history, out: rm });
    assertSameBits(rm.data, expected.data);
    rm.data.set(m.data);
    scheduler.step(rm, rx, t, { history, out: rh });
    assertSameBits(rh.data, expected.data);
    const outside = { ...h, data: h.data.slice() };
    scheduler.step(m, x, t, { history: { predOriginalSample: outside, timestep }, out: outside });
    assertSameBits(outside.data, expected.data);
    for (const resident of [rx, rm, rh]) resident.free();
  }
});

type Resident = ReturnType<typeof allocate>;

test("float16 is float32 rounded once", () => {
  const scheduler = new DPMSolverMultistepScheduler({ betaSchedule: "linear" });
  const rounded = new DPMSolverMultistepScheduler({ betaSchedule: "linear", computeDtype: "float16" });
  for (const one of [scheduler, rounded]) one.setTimesteps(20);
  const halves = [1, 2, 3].map((seed) => normalTensor(seed, DIMS, "float16"));
  const floats = halves.map((tensor) => ({ ...tensor, type: "float32" as const, data: decode(tensor.data) }));
  const t = scheduler.timesteps[5]!;
  const timestep = scheduler.timesteps[4]!;
  const step = (one: Scheduler, [x, m, h]: readonly unknown[]) =>
    one.step(m as Sample, x as Sample, t, { history: { predOriginalSample: h as Sample, timestep } }).data;
  const actual = decode(step(scheduler, halves) as unknown as Uint16Array);
  assert.equal(actual, step(rounded, floats));
  assert.ok(relativeError(actual, step(scheduler, floats)) < 2 ** -10);
});

/** The values of halves. */
function decode(halves: Uint16Array): Float32Array<ArrayBuffer> {
  return Float32Array.from(halves, (bits) => {
    const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
    const magnitude = exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25);
    return bits & 0x8000 ? -magnitude : magnitude;
  });
}

test("a history that does not fit is told", () => {
  const scheduler = new DPMSolverMultistepScheduler();
  scheduler.setTimesteps(10);
  const [x, h] = [normalTensor(1, DIMS), normalTensor(2, DIMS)];
  const t = scheduler.timesteps[4]!;
  const wrong = (history: unknown, kind: typeof TypeError | typeof RangeError, message: RegExp) =>
    assert.throws(
      () => scheduler.step(x, x, t, { history: history as StepHistory }),
      (error: Error) => error instanceof kind && message.test(error.message),
      `${message}`,
    );
  wrong(null, TypeError, /"history" expected an object/);
  wrong([h], TypeError, /"history" expected an object/);
  wrong({}, TypeError, /"history.predOriginalSample" expected/);
  wrong({ predOriginalSample: h }, TypeError, /"history.timestep" expected/);
  wrong({ predOriginalSample: h, timestep: 1000 }, RangeError, /"history.timestep" expected an integer in \[0, 999\]/);
  wrong(
    { predOriginalSample: h, timestep: t },
    RangeError,
    /"history.timestep" expected the timestep of an earlier step, from 600 on, got 599/,
  );
  wrong({ predOriginalSample: h, timestep: [999, 999, 100] }, RangeError, /from 600 on, got 100/);
  assert.throws(
    () => scheduler.step(x, x, [t, t, 900], { history: { predOriginalSample: h, timestep: 700 }, prevTimestep: 0 }),
    /^"history.timestep" expected the timestep of an earlier step, from 901 on, got 700/,
  );
  wrong({ predOriginalSample: h, timestep: [999, 999] }, RangeError, /"history.timestep" expected one timestep, or 3/);
  wrong(
    { predOriginalSample: normalTensor(1, [3, 2, 5, 6]), timestep: 999 },
    RangeError,
    /"history.predOriginalSample"/,
  );
  wrong({ predOriginalSample: normalTensor(1, DIMS, "float16"), timestep: 999 }, TypeError, /float32/);
  assert.throws(() => scheduler.step(x, x, t, { eta: 1 } as never), /has no option "eta"/);
  assert.throws(() => new DDIMScheduler().step(x, x, t, { history: {} } as never), /has no option "history"/);
});

test("zero SNR ends at 2^-24, from where every prediction type has a step", () => {
  for (const predictionType of ["epsilon", "sample", "v_prediction"] as const) {
    const scheduler = new DPMSolverMultistepScheduler({ predictionType, rescaleBetasZeroSnr: true });
    assert.is(scheduler.alphasCumprod.at(-1), 2 ** -24);
    scheduler.setTimesteps(10);
    assert.is(scheduler.timesteps[0], 999);
    const x = normalTensor(1, DIMS);
    assert.ok(scheduler.step(x, x, 999).data.every(Number.isFinite));
  }
  // Where betas of one's own leave nothing at all, the history tells no slope: order 1.
  const scheduler = new DPMSolverMultistepScheduler({ trainedBetas: [0.1, 0.2, 0.5, 1], predictionType: "sample" });
  scheduler.setTimesteps([3, 2, 1]);
  const [x, m, h] = [1, 2, 3].map((seed) => normalTensor(seed, DIMS)) as [Sample, Sample, Sample];
  const history = { predOriginalSample: h, timestep: 3 };
  assert.equal(scheduler.step(m, x, 2, { history }).data, scheduler.step(m, x, 2).data);
  // Nor where the products have come down to 0 long before.
  const trainedBetas = [...Array(20).fill(0.01), ...Array(200).fill(0.999)];
  const empty = new DPMSolverMultistepScheduler({ trainedBetas, predictionType: "v_prediction" });
  assert.equal([empty.alphasCumprod[150], empty.alphasCumprod[200]], [0, 0]);
  empty.setTimesteps([200, 150, 10]);
  const far = { predOriginalSample: h, timestep: 200 };
  assert.equal(empty.step(m, x, 150, { history: far }).data, empty.step(m, x, 150).data);
});

test.run();
