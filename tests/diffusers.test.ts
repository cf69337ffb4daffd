import { test } from "uvu";
import * as assert from "uvu/assert";
import { describeCase, float32, float64, readGolden, relativeError } from "./golden.js";
import { implementations } from "./implementations.js";

for (const [name, { DDIMScheduler }] of Object.entries(implementations)) {
  for (const golden of readGolden("diffusers").cases) {
    test(`${name}: ${describeCase(golden)} of diffusers is met within 1e-6 of float64`, () => {
      const scheduler = DDIMScheduler.fromConfig(golden.config, {}, { onWarning() {} });
      scheduler.setTimesteps(golden.num_inference_steps);
      if (golden.timesteps) assert.equal(Array.from(scheduler.timesteps), golden.timesteps);
      const tensor = (base64: string) => ({ data: float32(base64), dims: golden.shape as number[] });

      for (const step of golden.steps) {
        const result = scheduler.step(tensor(step.model_output), tensor(step.sample), step.timestep, {
          eta: step.eta,
          useClippedModelOutput: step.use_clipped_model_output,
          varianceNoise: step.variance_noise ? tensor(step.variance_noise) : undefined,
          returnDict: true,
        });
        const error = relativeError(result.prevSample.data, float64(step.truth));
        assert.ok(error <= 1e-6, `prevSample at ${step.timestep}: ${error}`);
        // One float32 rounding of the sample is magnified by 1 / sqrt(alphasCumprod[t]).
        const tolerance = Math.max(1e-6, 2e-7 / Math.sqrt(scheduler.alphasCumprod[step.timestep]!));
        const originalError = relativeError(result.predOriginalSample.data, float64(step.truth_x0));
        assert.ok(originalError <= tolerance, `predOriginalSample at ${step.timestep}: ${originalError}`);
      }

      const { original, noise, timesteps } = golden.add_noise;
      const combine = (noiseShare: (alpha: number) => number, originalShare: (alpha: number) => number) => {
        const z = float32(noise);
        const each = z.length / timesteps.length;
        return Float64Array.from(float32(original), (x, i) => {
          const alpha = scheduler.alphasCumprod[timesteps[Math.floor(i / each)]]!;
          return originalShare(alpha) * x + noiseShare(alpha) * z[i]!;
        });
      };
      const noisy = combine((alpha) => Math.sqrt(1 - alpha), Math.sqrt);
      const velocity = combine(Math.sqrt, (alpha) => -Math.sqrt(1 - alpha));
      const args = [tensor(original), tensor(noise), timesteps] as const;
      assert.ok(relativeError(scheduler.addNoise(...args).data, noisy) <= 1e-6);
      assert.ok(relativeError(scheduler.getVelocity(...args).data, velocity) <= 1e-6);
      // diffusers' own float32 tables are up to 5e-4 off under zero SNR.
      const tolerance = golden.config.rescale_betas_zero_snr ? 5e-4 : 5e-6;
      assert.ok(relativeError(float32(golden.add_noise.noisy), noisy) <= tolerance);
      assert.ok(relativeError(float32(golden.add_noise.velocity), velocity) <= tolerance);
    });
  }
}

test.run();
