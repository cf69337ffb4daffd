// The same run in float64: DDIM's formulas written out, with nothing of the library but its noise.

import { Generator } from "ddim-wasm";
import { Tensor } from "onnxruntime-web";

const TRAIN_STEPS = 1000;
const NO_LABEL = 10;

/** The schedule squaredcos_cap_v2: products of 1 - beta. */
const alphasCumprod = [];
for (let i = 0, product = 1; i < TRAIN_STEPS; i++) {
  const level = (u) => Math.cos((((u + 0.008) / 1.008) * Math.PI) / 2) ** 2;
  product *= 1 - Math.min(1 - level((i + 1) / TRAIN_STEPS) / level(i / TRAIN_STEPS), 0.999);
  alphasCumprod.push(product);
}

/** Timesteps for a number of steps that divides 1000, so that every spacing but linspace is a plain stride. */
const spacings = {
  leading: (i, stride) => i * stride,
  trailing: (i, stride) => (i + 1) * stride - 1,
};

/**
 * @param {import("onnxruntime-web").InferenceSession} unet
 * @param {{ digits: string, steps: number, seed: number, guidance: number, eta: number, spacing: string }} options
 * @returns {Promise<Float64Array>} the samples, clipped to [-1, 1] on their way and guided
 */
export async function sampleInFloat64(unet, { digits, steps, seed, guidance, eta, spacing }) {
  const labels = Array.from(digits, Number);
  const dims = [labels.length, 1, 32, 32];
  const stride = TRAIN_STEPS / steps;
  const generator = new Generator(seed);
  let sample = Float64Array.from(generator.randn(dims).data);

  for (let i = steps - 1; i >= 0; i--) {
    const t = spacings[spacing](i, stride);
    const alpha = alphasCumprod[t];
    const previousAlpha = t >= stride ? alphasCumprod[t - stride] : 1;
    const sigma = eta * Math.sqrt(((1 - previousAlpha) / (1 - alpha)) * (1 - alpha / previousAlpha));
    const unconditional = await predict(unet, sample, t, Array(labels.length).fill(NO_LABEL), dims);
    const conditional = await predict(unet, sample, t, labels, dims);
    const noise = eta > 0 ? generator.randn(dims).data : new Float32Array(sample.length);

    sample = sample.map((x, j) => {
      const m = unconditional[j] + guidance * (conditional[j] - unconditional[j]);
      const original = Math.min(Math.max((x - Math.sqrt(1 - alpha) * m) / Math.sqrt(alpha), -1), 1);
      const epsilon = (x - Math.sqrt(alpha) * original) / Math.sqrt(1 - alpha);
      const direction = Math.sqrt(Math.max(0, 1 - previousAlpha - sigma ** 2)) * epsilon;
      return Math.sqrt(previousAlpha) * original + direction + sigma * noise[j];
    });
  }
  return sample;
}

/** The model's prediction for one half of the guidance. */
async function predict(unet, sample, t, labels, dims) {
  const { out_sample: output } = await unet.run({
    sample: new Tensor("float32", Float32Array.from(sample), dims),
    timestep: new Tensor(
      "int64",
      BigInt64Array.from(labels, () => BigInt(t)),
      [labels.length],
    ),
    class_labels: new Tensor("int64", BigInt64Array.from(labels, BigInt), [labels.length]),
  });
  return output.data;
}
