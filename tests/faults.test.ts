// Faults of the reference implementations that this one does not have. Where a fault gives numbers, the test computes
// these too, to show that it would see them.

import type { DDIMSchedulerOptions, StepOptions } from "ddim-wasm";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { halfToNumber, numberToHalf } from "./binary16.js";
import { relativeError } from "./golden.js";
import { implementations } from "./implementations.js";
import { Oracle, type OracleStep } from "./oracle.js";
import { TorchRandom } from "./torch-random.js";

const TOLERANCE = 1e-6;

const normals = (seed: number, n: number): Float32Array => new TorchRandom(seed).randn(n);

/** Whether an error is a RangeError whose message has all of the words. */
const rangeError =
  (...words: (string | RegExp)[]) =>
  (error: unknown): boolean =>
    error instanceof RangeError && words.every((word) => error.message.search(word) >= 0);

for (const [name, { DDIMScheduler }] of Object.entries(implementations)) {
  const BATCH = 3;
  const DIMS = [BATCH, 4, 5, 7];
  const LENGTH = 420;
  const tensor = (data: Float32Array) => ({ data, dims: DIMS });
  const INPUTS = { modelOutput: normals(1, LENGTH), sample: normals(2, LENGTH), noise: normals(3, LENGTH) };

  /** Results of one step: the library's, and the oracle's. Stride 100. */
  const stepBoth = (
    config: DDIMSchedulerOptions,
    timesteps: number[],
    options: Pick<StepOptions, "eta" | "useClippedModelOutput"> &
      Pick<OracleStep, "eta" | "useClippedModelOutput"> = {},
  ) => {
    const scheduler = new DDIMScheduler(config);
    scheduler.setTimesteps(10);
    const oracle = new Oracle(config);
    const { prevSample, predOriginalSample } = scheduler.step(
      tensor(INPUTS.modelOutput),
      tensor(INPUTS.sample),
      timesteps,
      { ...options, varianceNoise: tensor(INPUTS.noise), returnDict: true },
    );
    const previous = timesteps.map((t) => oracle.strideBefore(t, 10));
    const truth = oracle.step({ ...INPUTS, ...options, timesteps, previous });
    return {
      scheduler,
      oracle,
      prevSample: prevSample.data,
      predOriginalSample: predOriginalSample.data,
      truth,
      previous,
    };
  };

  /** Asserts that a step meets the oracle; and returns what it made. */
  const meetsOracle = (...args: Parameters<typeof stepBoth>) => {
    const both = stepBoth(...args);
    const error = relativeError(both.prevSample, both.truth.prevSample);
    assert.ok(error <= TOLERANCE, `prevSample is ${error} off`);
    const originalError = relativeError(both.predOriginalSample, both.truth.predOriginalSample);
    assert.ok(originalError <= TOLERANCE, `predOriginalSample is ${originalError} off`);
    return both;
  };

  /** Asserts that the result of a fault is seen. */
  const differs = (fault: ArrayLike<number>, truth: ArrayLike<number>) =>
    assert.ok(relativeError(fault, truth) > 100 * TOLERANCE, "the fault would not be seen");

  /** A value of each element, from its index and that of its batch element. */
  const each = (value: (i: number, element: number) => number): Float64Array =>
    Float64Array.from({ length: LENGTH }, (_, i) => value(i, Math.floor((i * BATCH) / LENGTH)));

  test(`${name}: zero-SNR rescaling works (MindFlow raises)`, () => {
    for (const betaSchedule of ["linear", "scaled_linear", "squaredcos_cap_v2", "sigmoid"] as const) {
      const config = { betaSchedule, rescaleBetasZeroSnr: true, predictionType: "v_prediction" } as const;
      const { scheduler, oracle } = meetsOracle(config, [999, 500, 40]);
      assert.is(scheduler.alphasCumprod[999], 0);
      assert.ok(relativeError(scheduler.alphasCumprod, oracle.alphasCumprod) <= 1e-12);
      const first = new DDIMScheduler({ betaSchedule }).alphasCumprod[0]!;
      assert.ok(Math.abs(scheduler.alphasCumprod[0]! - first) <= 1e-15);
    }
  });

  test(`${name}: dynamic thresholding works, per batch element (MindFlow raises)`, () => {
    const config = { thresholding: true, sampleMaxValue: 100, dynamicThresholdingRatio: 0.9 };
    const { oracle, truth, predOriginalSample } = meetsOracle(config, [700, 500, 300]);
    // Each element has a threshold of its own, above 1: a tenth of its values are at the bound.
    const perElement = LENGTH / BATCH;
    for (let element = 0; element < BATCH; element++) {
      const values = predOriginalSample.subarray(element * perElement, (element + 1) * perElement);
      const atBound = values.filter((x) => Math.abs(x) > 1 - 1e-6).length;
      assert.is(atBound, Math.floor(0.1 * perElement));
    }
    const clipped = new Oracle({ ...oracle.config, thresholding: false });
    differs(
      clipped.step({ ...INPUTS, timesteps: [700, 500, 300], previous: [600, 400, 200] }).predOriginalSample,
      truth.predOriginalSample,
    );
  });

  test(`${name}: v_prediction's eps has square roots (MindFlow's has not)`, () => {
    const { oracle, truth, previous } = meetsOracle({ predictionType: "v_prediction" }, [900, 500, 100]);
    const fault = each((i, element) => {
      const [alpha, target] = [oracle.alphaAt([900, 500, 100][element]!), oracle.alphaAt(previous[element]!)];
      const eps = alpha * INPUTS.modelOutput[i]! + (1 - alpha) * INPUTS.sample[i]!;
      return Math.sqrt(target) * truth.predOriginalSample[i]! + Math.sqrt(1 - target) * eps;
    });
    differs(fault, truth.prevSample);
  });

  test(`${name}: useClippedModelOutput holds for each batch element (MindFlow broadcasts wrongly)`, () => {
    for (const predictionType of ["epsilon", "sample", "v_prediction"] as const) {
      for (const bound of [{ clipSample: true }, { thresholding: true, sampleMaxValue: 2 }]) {
        const timesteps = [700, 400, 100];
        const options = { useClippedModelOutput: true, eta: 0.5 };
        const { oracle, truth, previous } = meetsOracle({ predictionType, ...bound }, timesteps, options);
        differs(
          oracle.step({ ...INPUTS, ...options, timesteps: [700, 700, 700], previous }).prevSample,
          truth.prevSample,
        );
        differs(
          oracle.step({ ...INPUTS, ...options, timesteps, previous, useClippedModelOutput: false }).prevSample,
          truth.prevSample,
        );
      }
    }
  });

  test(`${name}: the final alpha product is taken for each batch element (MindFlow looks at the first)`, () => {
    for (const setAlphaToOne of [true, false]) {
      for (const timesteps of [
        [50, 500, 900],
        [500, 50, 99],
        [900, 100, 0],
      ]) {
        const config = { setAlphaToOne, betaSchedule: "linear" } as const;
        const { oracle, truth, previous } = meetsOracle(config, timesteps);
        // Negative for all or for none, as the first is; where it is none an index counts from the end.
        const fault = previous.map((p) => (previous[0]! < 0 ? -1 : (p + 1000) % 1000));
        differs(oracle.step({ ...INPUTS, timesteps, previous: fault }).prevSample, truth.prevSample);
      }
    }
  });

  test(`${name}: tables stay float64 under computeDtype "float16" (MindFlow's small alphas vanish)`, () => {
    const config = { computeDtype: "float16", clipSample: false } as const;
    const scheduler = new DDIMScheduler(config);
    const oracle = new Oracle(config);
    assert.ok(relativeError(scheduler.alphasCumprod, oracle.alphasCumprod) <= 1e-12);
    const last = oracle.alphasCumprod[999]!;
    assert.is(numberToHalf(last), 0, "the fault would not be seen");
    assert.ok(Math.abs(scheduler.alphasCumprod[999]! - last) <= 1e-12 * last);

    // At its last timestep x0 is 20,000 times the difference of sample and model output.
    scheduler.setTimesteps(1000);
    const sample = Uint16Array.from([0x3c00, 0x3c00, 0xbc01, 0x0001]); // 1, 1, -1.001, 6e-8
    const modelOutput = Uint16Array.from([0x3800, 0x3bff, 0xbc00, 0x0000]); // 0.5, 0.9995, -1, 0
    const result = scheduler.step(modelOutput, sample, 999, { returnDict: true });
    const truth = oracle.step({
      modelOutput: Array.from(modelOutput, halfToNumber),
      sample: Array.from(sample, halfToNumber),
      timesteps: [999],
      previous: [998],
    });
    assert.equal(result.predOriginalSample, Uint16Array.from(truth.predOriginalSample, numberToHalf));
    assert.equal(result.prevSample, Uint16Array.from(truth.prevSample, numberToHalf));
  });

  test(`${name}: zero SNR with epsilon at its last timestep is an error (the references return inf or NaN)`, () => {
    const config = { rescaleBetasZeroSnr: true, timestepSpacing: "trailing", clipSample: false } as const;
    const [m, x] = [tensor(INPUTS.modelOutput), tensor(INPUTS.sample)];
    const scheduler = new DDIMScheduler(config);
    scheduler.setTimesteps(10);
    const out = tensor(Float32Array.from(INPUTS.noise));
    for (const timestep of [999, [500, 999, 100]]) {
      assert.throws(
        () => scheduler.step(m, x, timestep, { out }),
        rangeError("999", "epsilon", /v_prediction/, /sample/),
      );
    }
    assert.equal(out.data, INPUTS.noise, "nothing has been written");

    // The other prediction types hold there, and epsilon everywhere else.
    for (const predictionType of ["v_prediction", "sample"] as const) {
      meetsOracle({ ...config, predictionType }, [999, 899, 99]);
    }
    assert.ok(scheduler.step(m, x, 899).data.every(Number.isFinite));
    const leading = new DDIMScheduler({ ...config, timestepSpacing: "leading" });
    leading.setTimesteps(10);
    for (const t of leading.timesteps) assert.ok(leading.step(m, x, t).data.every(Number.isFinite));
  });

  test(`${name}: a timestep out of range is an error that names the range (the references index from the end)`, () => {
    const scheduler = new DDIMScheduler({ numTrainTimesteps: 500 });
    scheduler.setTimesteps(10);
    const [m, x] = [tensor(INPUTS.modelOutput), tensor(INPUTS.sample)];
    const out = tensor(Float32Array.from(INPUTS.noise));
    for (const timestep of [-1, 500, 2 ** 31, 1.5, NaN]) {
      for (const given of [timestep, [0, timestep, 0]]) {
        const refused = (call: () => unknown) =>
          assert.throws(call, rangeError("timestep", /\b0, 499\b/, `${timestep}`));
        refused(() => scheduler.step(m, x, given, { out }));
        refused(() => scheduler.addNoise(x, m, given, { out }));
        refused(() => scheduler.getVelocity(x, m, given, { out }));
      }
    }
    assert.equal(out.data, INPUTS.noise, "nothing has been written");
    const all = scheduler.addNoise(x, m, [0, 499, 0]);
    assert.ok(all.data.every(Number.isFinite));
  });

  test(`${name}: an eta out of [0, 1] is an error (diffusers returns NaN)`, () => {
    const scheduler = new DDIMScheduler();
    scheduler.setTimesteps(10);
    const out = tensor(Float32Array.from(INPUTS.noise));
    const step = (eta: number) =>
      scheduler.step(tensor(INPUTS.modelOutput), tensor(INPUTS.sample), 500, {
        eta,
        varianceNoise: tensor(INPUTS.noise),
        out,
      });
    for (const eta of [2, 1.0001, -0.0001, NaN, Infinity]) {
      assert.throws(() => step(eta), rangeError(/"eta"/, /\[0, 1\]/, `${eta}`));
    }
    assert.equal(out.data, INPUTS.noise, "nothing has been written");
    for (const eta of [0, 1]) assert.ok(step(eta).data.every(Number.isFinite));
  });

  // The threshold is the quantile of a permutation of 0 ... n - 1, scaled: it is known without sorting.
  test(`${name}: thresholding takes samples above 2^24 elements (diffusers raises)`, () => {
    const n = 2 ** 24 + 3;
    const ratio = 0.75;
    const scheduler = new DDIMScheduler({
      predictionType: "sample",
      thresholding: true,
      dynamicThresholdingRatio: ratio,
      sampleMaxValue: 1e6,
    });
    const modelOutput = new Float32Array(n);
    for (let i = 0; i < n; i++) modelOutput[i] = (i % 2 ? 1 : -1) * ((i * 7919) % n) * 2 ** -20;
    const rank = ratio * (n - 1);
    const threshold = rank * 2 ** -20;
    const { predOriginalSample } = scheduler.step(modelOutput, modelOutput, 500, {
      prevTimestep: 400,
      returnDict: true,
    });
    let error = 0;
    let beyond = 0;
    for (let i = 0; i < n; i++) {
      const magnitude = ((i * 7919) % n) * 2 ** -20;
      const truth = Math.min(magnitude / threshold, 1) * (i % 2 ? 1 : -1);
      error = Math.max(error, Math.abs(predOriginalSample[i]! - truth));
      if (magnitude > threshold) beyond++;
    }
    assert.ok(error <= TOLERANCE, `predOriginalSample is ${error} off`);
    assert.is(beyond, n - 1 - Math.floor(rank));
  });
}

// diffusers' list is numpy.arange(T, 0, -T / N), of ceil(-T / (-T / N)) entries, whose rounding lengthens it.
test("trailing timesteps are exactly N (MindFlow and diffusers give more)", () => {
  const { DDIMScheduler } = implementations.simd;
  const faults: string[] = [];
  for (const numTrainTimesteps of [50, 100, 500, 1000]) {
    const scheduler = new DDIMScheduler({ numTrainTimesteps, timestepSpacing: "trailing" });
    for (let steps = 1; steps <= numTrainTimesteps; steps++) {
      if (Math.ceil(-numTrainTimesteps / -(numTrainTimesteps / steps)) > steps)
        faults.push(`${numTrainTimesteps}/${steps}`);
      scheduler.setTimesteps(steps);
      const { timesteps } = scheduler;
      assert.is(timesteps.length, steps);
      assert.is(timesteps[0], numTrainTimesteps - 1);
      assert.ok(timesteps.every((t, i) => t >= 0 && (i === 0 || t < timesteps[i - 1]!)));
    }
  }
  assert.is(faults.length, 98);
  for (const steps of [61, 103, 121, 122, 201]) assert.ok(faults.includes(`1000/${steps}`));
  // Divided as integers, 7 steps of 142 leave room for an eighth.
  const scheduler = new DDIMScheduler({ timestepSpacing: "trailing" });
  scheduler.setTimesteps(7);
  assert.equal(Array.from(scheduler.timesteps), [999, 856, 713, 570, 428, 285, 142]);
});

test("alphasCumprod is float64 (diffusers' float32 errs by up to 5e-4 under zero SNR)", () => {
  const { DDIMScheduler } = implementations.simd;
  const options = { betaSchedule: "linear", rescaleBetasZeroSnr: true } as const;
  const { alphasCumprod } = new DDIMScheduler(options);
  const error = (actual: ArrayLike<number>) =>
    Math.max(...new Oracle(options).alphasCumprod.map((y, i) => (y === 0 ? 0 : Math.abs(actual[i]! - y) / y)));
  assert.ok(error(alphasCumprod) <= 1e-9);

  const { betas } = new Oracle({ betaSchedule: "linear" });
  let product = 1;
  const single = betas.map((beta) => (product = Math.fround(product * Math.fround(1 - Math.fround(beta)))));
  const roots = single.map((alpha) => Math.fround(Math.sqrt(alpha)));
  const [first, last] = [roots[0]!, roots.at(-1)!];
  const scale = Math.fround(first / Math.fround(first - last));
  const fault = roots.map((root) => Math.fround(Math.fround(Math.fround(root - last) * scale) ** 2));
  assert.ok(error(fault) > 1e-5, "the fault would not be seen");
});

test.run();
