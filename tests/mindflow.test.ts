import { test } from "uvu";
import * as assert from "uvu/assert";
import { halfToNumber } from "./binary16.js";
import { describeCase, float32, halves, readGolden, relativeError } from "./golden.js";
import { implementations } from "./implementations.js";

// How a case's tensors are stored and read back. MindFlow's tables have the data's precision, hence the tolerances.
const KINDS = {
  float32: { decode: float32, values: (data: ArrayLike<number>) => data, tolerance: 2e-4 },
  float16: {
    decode: halves,
    values: (data: ArrayLike<number>) => Float64Array.from(data, halfToNumber),
    tolerance: 0.04,
  },
};

for (const [name, { DDIMScheduler }] of Object.entries(implementations)) {
  for (const golden of readGolden("mindflow").cases) {
    const { decode, values, tolerance } = KINDS[golden.config.compute_dtype as keyof typeof KINDS];
    test(`${name}: ${describeCase(golden)} of MindFlow is met within ${tolerance}`, () => {
      const scheduler = DDIMScheduler.fromConfig(golden.config, {}, { onWarning() {} });
      scheduler.setTimesteps(golden.num_inference_steps);
      assert.equal(Array.from(scheduler.timesteps), golden.timesteps);
      const tensor = (base64: string) => ({ data: decode(base64), dims: golden.shape as number[] });

      const prevSample = scheduler.step(tensor(golden.model_output), tensor(golden.sample), golden.timestep, {
        eta: golden.eta,
        useClippedModelOutput: golden.use_clipped_model_output,
        varianceNoise: golden.variance_noise === null ? undefined : tensor(golden.variance_noise),
      });
      const error = relativeError(values(prevSample.data), float32(golden.prev_sample));
      assert.ok(error <= tolerance, `step: ${error}`);

      const noisy = scheduler.addNoise(tensor(golden.sample), tensor(golden.add_noise.noise), golden.timestep);
      const noisyError = relativeError(values(noisy.data), float32(golden.add_noise.noisy));
      assert.ok(noisyError <= tolerance, `addNoise: ${noisyError}`);
    });
  }
}

test.run();
