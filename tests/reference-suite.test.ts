// diffusers' own test suite of its DDIMScheduler (tests/schedulers/test_scheduler_ddim.py), with the numbers that it
// expects and its tolerances.

import type { DDIMSchedulerOptions, PlainTensor } from "ddim-wasm";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { COUNT, DIMS, model, NOISE, SAMPLE, sumOf, THRESHOLDING } from "./diffusers-suite.js";
import { implementations } from "./implementations.js";

const CONFIG: DDIMSchedulerOptions = {
  numTrainTimesteps: 1000,
  betaStart: 0.0001,
  betaEnd: 0.02,
  betaSchedule: "linear",
  clipSample: true,
};

/** Values of every option that the suite goes through. */
const VARIATIONS: DDIMSchedulerOptions[] = [
  ...[100, 500, 1000].map((numTrainTimesteps) => ({ numTrainTimesteps })),
  ...[0, 1].map((stepsOffset) => ({ stepsOffset })),
  ...[
    [0.0001, 0.002],
    [0.001, 0.02],
    [0.01, 0.2],
  ].map(([betaStart, betaEnd]) => ({ betaStart: betaStart!, betaEnd: betaEnd! })),
  ...(["linear", "scaled_linear", "squaredcos_cap_v2"] as const).map((betaSchedule) => ({ betaSchedule })),
  ...(["epsilon", "v_prediction", "sample"] as const).map((predictionType) => ({ predictionType })),
  ...[true, false].map((clipSample) => ({ clipSample })),
  ...(["trailing", "leading", "linspace"] as const).map((timestepSpacing) => ({ timestepSpacing })),
  ...[true, false].map((rescaleBetasZeroSnr) => ({ rescaleBetasZeroSnr })),
  ...THRESHOLDING,
];

for (const [name, { DDIMScheduler, Generator }] of Object.entries(implementations)) {
  /** Runs 10 steps from `start`, and tells the sum of absolute values and their mean. */
  const runLoop = (options: DDIMSchedulerOptions, startIndex = 0): { sum: number; mean: number } => {
    const scheduler = new DDIMScheduler({ ...CONFIG, ...options });
    scheduler.setTimesteps(10);
    const timesteps = scheduler.timesteps.subarray(startIndex);
    let sample = startIndex === 0 ? SAMPLE : scheduler.addNoise(SAMPLE, NOISE, timesteps[0]!);
    for (const t of timesteps) sample = scheduler.step(model(sample, t), sample, t, { eta: 0 });
    const sum = sumOf(sample);
    return { sum, mean: sum / COUNT };
  };

  const LOOPS: [description: string, options: DDIMSchedulerOptions, sum: number, mean: number, startIndex?: number][] =
    [
      ["a full loop", {}, 172.0067, 0.223967],
      ["a full loop with v_prediction", { predictionType: "v_prediction" }, 52.5302, 0.0684],
      ["a full loop with setAlphaToOne", { betaStart: 0.01, setAlphaToOne: true }, 149.8295, 0.1951],
      ["a full loop without setAlphaToOne", { betaStart: 0.01, setAlphaToOne: false }, 149.0784, 0.1941],
      ["a loop from a noised sample", {}, 354.5418, 0.4616, 8],
    ];
  for (const [description, options, expectedSum, expectedMean, startIndex] of LOOPS) {
    test(`${name}: ${description}`, () => {
      const { sum, mean } = runLoop(options, startIndex);
      assert.ok(Math.abs(sum - expectedSum) < 1e-2, `sum ${sum}`);
      assert.ok(Math.abs(mean - expectedMean) < 1e-3, `mean ${mean}`);
    });
  }

  // Of sample and model output 0 and noise 1, a step with eta = 1 leaves the standard deviation.
  for (const [t, p, variance] of [
    [0, 0, 0],
    [420, 400, 0.14771],
    [980, 960, 0.3246],
    [487, 486, 0.00979],
    [999, 998, 0.02],
  ] as const) {
    test(`${name}: the variance from ${t} to ${p}`, () => {
      const scheduler = new DDIMScheduler(CONFIG);
      const [zero, one] = [new Float32Array(1), Float32Array.of(1)];
      const [deviation] = scheduler.step(zero, zero, t, { eta: 1, prevTimestep: p, varianceNoise: one });
      assert.ok(Math.abs(deviation! ** 2 - variance) < 1e-5, `${deviation! ** 2}`);
    });
  }

  test(`${name}: five timesteps with an offset`, () => {
    const scheduler = new DDIMScheduler({ ...CONFIG, stepsOffset: 1 });
    scheduler.setTimesteps(5);
    assert.equal(Array.from(scheduler.timesteps), [801, 601, 401, 201, 1]);
  });

  for (const variation of VARIATIONS) {
    test(`${name}: saved and loaded, the same steps with ${JSON.stringify(variation)}`, () => {
      const scheduler = new DDIMScheduler({ ...CONFIG, ...variation });
      const loaded = DDIMScheduler.fromConfig(JSON.stringify(scheduler.toConfig()), {}, { onWarning() {} });
      assert.equal(loaded.config, scheduler.config);
      assert.equal(loaded.alphasCumprod, scheduler.alphasCumprod);
      for (const eta of [0, 0.5, 1]) {
        const results = [scheduler, loaded].map((one) => {
          one.setTimesteps(10);
          const options = { eta, generator: new Generator(0), returnDict: true } as const;
          return Array.from(one.timesteps.subarray(2, 5), (t) => one.step(model(SAMPLE, t), SAMPLE, t, options));
        });
        assert.equal(results[1], results[0]);
        for (const { prevSample, predOriginalSample } of results[0]!) {
          assert.ok([...prevSample.data, ...predOriginalSample.data].every(Number.isFinite));
        }
      }
    });
  }

  test(`${name}: the suite's betas beyond 1 are refused by name`, () => {
    assert.throws(
      () => new DDIMScheduler({ ...CONFIG, betaStart: 0.1, betaEnd: 2 }),
      (error: unknown) => error instanceof RangeError && /"betaEnd"/.test(error.message),
    );
  });

  test(`${name}: a step keeps the shape, and steps at different timesteps differ in nothing but values`, () => {
    const scheduler = new DDIMScheduler(CONFIG);
    scheduler.setTimesteps(50);
    const residual = { ...SAMPLE, data: SAMPLE.data.map((x) => 0.1 * x) };
    const outputs = [0, 1].map((t) => scheduler.step(residual, SAMPLE, t));
    for (const output of outputs) {
      assert.equal(output.dims, SAMPLE.dims);
      assert.is(output.data.length, COUNT);
    }
    assert.not.equal(outputs[0]!.data, outputs[1]!.data);
  });

  test(`${name}: with and without returnDict, the same sample`, () => {
    const scheduler = new DDIMScheduler(CONFIG);
    scheduler.setTimesteps(50);
    for (const eta of [0, 1]) {
      const step = (returnDict: boolean) =>
        scheduler.step(model(SAMPLE, 500), SAMPLE, 500, { eta, generator: new Generator(0), returnDict });
      assert.equal((step(true) as { prevSample: unknown }).prevSample, step(false));
    }
  });

  test(`${name}: noise is added at a timestep of each batch element`, () => {
    const scheduler = new DDIMScheduler(CONFIG);
    const timesteps = [0, 10, 500, 999];
    const noisy = scheduler.addNoise(SAMPLE, NOISE, timesteps);
    const velocity = scheduler.getVelocity(SAMPLE, NOISE, timesteps);
    assert.equal([noisy.dims, velocity.dims], [DIMS, DIMS]);
    timesteps.forEach((t, batch) => {
      const alone = ({ data }: PlainTensor<Float32Array>) => data.slice(192 * batch, 192 * (batch + 1));
      assert.equal(alone(noisy), scheduler.addNoise(alone(SAMPLE), alone(NOISE), t));
      assert.equal(alone(velocity), scheduler.getVelocity(alone(SAMPLE), alone(NOISE), t));
    });
  });

  test(`${name}: trained betas`, () => {
    const scheduler = new DDIMScheduler({ ...CONFIG, numTrainTimesteps: 2, trainedBetas: [0.1, 0.3] });
    assert.equal(Array.from(scheduler.betas), [0.1, 0.3]);
  });
}

test.run();
