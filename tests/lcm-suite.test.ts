// diffusers' own test suite of its LCMScheduler (tests/schedulers/test_scheduler_lcm.py), with the numbers that it
// expects and its tolerances.
//
// What does not apply: test_add_noise_device (there are no devices; the shape is tested). beta_end = 2 of test_betas is
// refused here, as every beta beyond 1. test_timesteps with 100 training steps asks for 10 of 50, as there.

import type { LCMSchedulerOptions } from "ddim-wasm";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { COUNT, DIMS, model, NOISE, RESIDUAL, SAMPLE, sumOf, THRESHOLDING } from "./diffusers-suite.js";
import { implementations } from "./implementations.js";

const CONFIG: LCMSchedulerOptions = {
  numTrainTimesteps: 1000,
  betaStart: 0.00085,
  betaEnd: 0.012,
  betaSchedule: "scaled_linear",
  predictionType: "epsilon",
};

/** Values of every option that the suite goes through. */
const VARIATIONS: LCMSchedulerOptions[] = [
  ...[100, 500, 1000].map((numTrainTimesteps) => ({ numTrainTimesteps })),
  ...([0.0001, 0.001, 0.01] as const).map((betaStart) => ({ betaStart, betaEnd: betaStart * 20 })),
  ...(["linear", "scaled_linear", "squaredcos_cap_v2"] as const).map((betaSchedule) => ({ betaSchedule })),
  ...(["epsilon", "v_prediction"] as const).map((predictionType) => ({ predictionType })),
  ...[true, false].map((clipSample) => ({ clipSample })),
  ...THRESHOLDING,
];

for (const [name, { LCMScheduler, Generator }] of Object.entries(implementations)) {
  for (const [steps, sum, mean] of [
    [1, 18.7097, 0.0244],
    [10, 197.7616, 0.2575],
  ] as const) {
    test(`${name}: a full loop of ${steps}`, () => {
      const scheduler = new LCMScheduler(CONFIG);
      scheduler.setTimesteps(steps);
      const generator = new Generator(0);
      let sample = SAMPLE;
      for (const t of scheduler.timesteps) sample = scheduler.step(model(sample, t), sample, t, { generator });
      assert.ok(Math.abs(sumOf(sample) - sum) < 1e-2, `sum ${sumOf(sample)}`);
      assert.ok(Math.abs(sumOf(sample) / COUNT - mean) < 1e-3, `mean ${sumOf(sample) / COUNT}`);
    });
  }

  for (const variation of VARIATIONS) {
    test(`${name}: saved and loaded, the same steps with ${JSON.stringify(variation)}`, () => {
      const scheduler = new LCMScheduler({ ...CONFIG, ...variation });
      const warnings: string[] = [];
      const onWarning = (message: string) => warnings.push(message);
      const loaded = LCMScheduler.fromConfig(JSON.stringify(scheduler.toConfig()), {}, { onWarning });
      // Latents would be clipped, which is told.
      const told = warnings.filter((message) => !(variation.clipSample && message.includes("clip_sample is true")));
      assert.equal(told, []);
      assert.equal(loaded.config, scheduler.config);
      const results = [scheduler, loaded].map((one) => {
        one.setTimesteps(10);
        const generator = new Generator(0);
        return Array.from(one.timesteps, (t) => one.step(RESIDUAL, SAMPLE, t, { generator }));
      });
      assert.equal(results[1], results[0]);
      assert.ok(results[0]!.every(({ data }) => data.every(Number.isFinite)));
    });
  }

  test(`${name}: steps at every timestep of 10, and the last of 25 and 50`, () => {
    for (const [t, steps] of [
      [99, 10],
      [39, 25],
      [19, 50],
    ] as const) {
      const scheduler = new LCMScheduler(CONFIG);
      scheduler.setTimesteps(steps);
      assert.is(scheduler.timesteps.at(-1), t);
      assert.equal(scheduler.step(RESIDUAL, SAMPLE, t).dims, DIMS);
    }
  });

  test(`${name}: a step keeps the shape, and adding noise does`, () => {
    const scheduler = new LCMScheduler(CONFIG);
    scheduler.setTimesteps(10);
    const outputs = [-2, -1].map((at) => scheduler.step(RESIDUAL, SAMPLE, scheduler.timesteps.at(at)!));
    for (const output of outputs) assert.equal(output.dims, DIMS);
    assert.equal(scheduler.addNoise(SAMPLE, NOISE, scheduler.timesteps[5]!).dims, DIMS);
  });

  test(`${name}: with and without returnDict, the same sample`, () => {
    const scheduler = new LCMScheduler(CONFIG);
    scheduler.setTimesteps(10);
    for (const t of scheduler.timesteps) {
      const [plain, both] = [
        scheduler.step(RESIDUAL, SAMPLE, t, { generator: new Generator(0) }),
        scheduler.step(RESIDUAL, SAMPLE, t, { generator: new Generator(0), returnDict: true }),
      ];
      assert.equal(both.prevSample, plain);
    }
  });
}

test.run();
