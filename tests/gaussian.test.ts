// Data of which everything is known: each pixel is normal, with a mean and a deviation of its own. The best prediction
// of a model has a closed form then, and with it the sampler must turn noise into such data.

import { DDIMScheduler, Generator } from "ddim-wasm";
import { test } from "uvu";
import * as assert from "uvu/assert";

const PIXELS = 32768;
const mean = Float64Array.from({ length: PIXELS }, (_, i) => Math.sin(i));
const deviation = Float64Array.from({ length: PIXELS }, (_, i) => 1.25 + 0.75 * Math.cos(3 * i));

/** What the model predicts, from the sample, the expectation of the noise in it, and the alpha product. */
const PREDICTIONS = {
  epsilon: (_x: number, epsilon: number) => epsilon,
  sample: (x: number, epsilon: number, alpha: number) => (x - Math.sqrt(1 - alpha) * epsilon) / Math.sqrt(alpha),
  v_prediction: (x: number, epsilon: number, alpha: number) => (epsilon - Math.sqrt(1 - alpha) * x) / Math.sqrt(alpha),
};

for (const [predictionType, predict] of Object.entries(PREDICTIONS)) {
  for (const eta of [0, 1]) {
    test(`1,000 steps of ${predictionType} with eta ${eta} end in the data's distribution`, () => {
      const scheduler = new DDIMScheduler({
        predictionType: predictionType as keyof typeof PREDICTIONS,
        timestepSpacing: "leading",
        clipSample: false,
      });
      scheduler.setTimesteps(1000);
      const generator = new Generator(eta);
      const { data: sample } = generator.randn([PIXELS]);
      const modelOutput = new Float32Array(PIXELS);
      for (const t of scheduler.timesteps) {
        const alpha = scheduler.alphasCumprod[t]!;
        for (let i = 0; i < PIXELS; i++) {
          const variance = alpha * deviation[i]! ** 2 + 1 - alpha;
          const epsilon = (Math.sqrt(1 - alpha) * (sample[i]! - Math.sqrt(alpha) * mean[i]!)) / variance;
          modelOutput[i] = predict(sample[i]!, epsilon, alpha);
        }
        scheduler.step(modelOutput, sample, t, { eta, generator, out: sample });
      }

      const standardized = Float64Array.from(sample, (x, i) => (x - mean[i]!) / deviation[i]!);
      const average = standardized.reduce((sum, z) => sum + z, 0) / PIXELS;
      const spread = Math.sqrt(standardized.reduce((sum, z) => sum + (z - average) ** 2, 0) / PIXELS);
      // Four standard errors.
      assert.ok(Math.abs(average) <= 4 / Math.sqrt(PIXELS), `mean ${average}`);
      assert.ok(Math.abs(spread - 1) <= 4 / Math.sqrt(2 * PIXELS), `deviation ${spread}`);
    });
  }
}

test.run();
