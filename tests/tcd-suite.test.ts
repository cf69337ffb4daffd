// diffusers' own test suite of its TCDScheduler (tests/schedulers/test_scheduler_tcd.py), with the numbers that it
// expects and its tolerances.
//
// What does not apply: test_add_noise_device (there are no devices; the shape is tested); test_clip_sample and
// test_thresholding (its step reads neither, and both are ignored here with a warning, which is tested);
// test_custom_timesteps_passing_both_num_inference_steps_and_timesteps (setTimesteps has one argument). beta_end = 2 of
// test_betas is refused here, as every beta beyond 1.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { COUNT, DIMS, model, RESIDUAL, SAMPLE, sumOf } from "./diffusers-suite.js";
import { CONFIG, testDistilled, VARIATIONS } from "./distilled-suite.js";
import { implementations } from "./implementations.js";

for (const [name, { LCMScheduler, TCDScheduler, Generator }] of Object.entries(implementations)) {
  for (const [steps, sum, mean] of [
    [1, 29.8715, 0.0389],
    [10, 181.204, 0.2359],
  ] as const) {
    test(`${name}: a full loop of ${steps}, without noise`, () => {
      const scheduler = new TCDScheduler(CONFIG);
      scheduler.setTimesteps(steps);
      let sample = SAMPLE;
      for (const t of scheduler.timesteps) sample = scheduler.step(model(sample, t), sample, t, { eta: 0 });
      assert.ok(Math.abs(sumOf(sample) - sum) < 1e-3, `sum ${sumOf(sample)}`);
      assert.ok(Math.abs(sumOf(sample) / COUNT - mean) < 1e-3, `mean ${sumOf(sample) / COUNT}`);
    });
  }

  for (const variation of VARIATIONS) {
    test(`${name}: saved and loaded, the same steps with ${JSON.stringify(variation)}`, () => {
      const scheduler = new TCDScheduler({ ...CONFIG, ...variation });
      const warnings: string[] = [];
      const onWarning = (message: string) => warnings.push(message);
      const loaded = TCDScheduler.fromConfig(JSON.stringify(scheduler.toConfig()), {}, { onWarning });
      assert.equal(warnings, []);
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

  test(`${name}: clipping and thresholding are ignored with a warning`, () => {
    for (const config of [{ clip_sample: true }, { thresholding: true }]) {
      const warnings: string[] = [];
      const onWarning = (message: string) => warnings.push(message);
      const scheduler = TCDScheduler.fromConfig(config, CONFIG, { onWarning });
      assert.match(warnings.join(), /^(clipSample|thresholding): ignored, TCDScheduler works as with false$/);
      scheduler.setTimesteps(4);
      const plain = new TCDScheduler(CONFIG);
      plain.setTimesteps(4);
      const step = (one: typeof plain) => one.step(RESIDUAL, SAMPLE, 999, { generator: new Generator(0) });
      assert.equal(step(scheduler), step(plain));
    }
  });

  test(`${name}: the last of 10, 25, 26 and 50 steps`, () => {
    for (const [t, steps] of [
      [99, 10],
      [39, 25],
      [39, 26],
      [19, 50],
    ] as const) {
      const scheduler = new TCDScheduler(CONFIG);
      scheduler.setTimesteps(steps);
      assert.ok(scheduler.timesteps.includes(t), `${steps}: ${scheduler.timesteps}`);
      assert.equal(scheduler.step(RESIDUAL, SAMPLE, t).dims, DIMS);
    }
  });

  testDistilled(name, TCDScheduler as unknown as typeof LCMScheduler, Generator);

  test(`${name}: timesteps of one's own`, () => {
    const scheduler = new TCDScheduler(CONFIG);
    const timesteps = [100, 87, 50, 1, 0];
    scheduler.setTimesteps(timesteps);
    timesteps.forEach((t, i) => {
      const step = (prevTimestep?: number) =>
        scheduler.step(RESIDUAL, SAMPLE, t, { prevTimestep, generator: new Generator(0) });
      assert.equal(step(), step(timesteps[i + 1] ?? -1));
    });
    assert.throws(() => scheduler.setTimesteps([100, 87, 50, 51, 0]), RangeError);
    assert.throws(() => scheduler.setTimesteps([1000]), RangeError);
  });
}

test.run();
