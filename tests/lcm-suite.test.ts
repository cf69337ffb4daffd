// diffusers' own test suite of its LCMScheduler (tests/schedulers/test_scheduler_lcm.py), with the numbers that it
// expects and its tolerances.
//
// What does not apply: test_add_noise_device (there are no devices; the shape is tested). beta_end = 2 of test_betas is
// refused here, as every beta beyond 1. test_timesteps with 100 training steps asks for 10 of 50, as there.

import type { LCMSchedulerOptions } from "ddim-wasm";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { COUNT, DIMS, model, RESIDUAL, SAMPLE, sumOf, THRESHOLDING } from "./diffusers-suite.js";
import { CONFIG, testDistilled, VARIATIONS as SHARED_VARIATIONS } from "./distilled-suite.js";
import { implementations } from "./implementations.js";

/** Values of every option that the suite goes through. */
const VARIATIONS: LCMSchedulerOptions[] = [
  ...SHARED_VARIATIONS,
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

  testDistilled(name, LCMScheduler, Generator);
}

test.run();
