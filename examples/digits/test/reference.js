// The same run in float64: the formulas of DDIM and of DPM-Solver++(2M) written out, with nothing of the library but its
// noise.

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

/** Half the logarithm of signal to noise, both squared. */
const lambdaOf = (alpha) => Math.log(alpha / (1 - alpha)) / 2;

/**
 * @param {import("onnxruntime-web").InferenceSession} unet
 * @param {{ scheduler: string, digits: string, steps: number, seed: number, guidance: number, eta: number, spacing: string }} options
 * @returns {Promise<Float64Array>} the samples, clipped to [-1, 1] on their way and guided
 */
export async function sampleInFloat64(unet, { scheduler, digits, steps, seed, guidance, eta, spacing }) {
  const labels = Array.from(digits, Number);
  const dims = [labels.length, 1, 32, 32];
  const stride = TRAIN_STEPS / steps;
  const generator = new Generator(seed);
  let sample = Float64Array.from(generator.randn(dims).data);
  /** What the step before predicted, and from where: for DPM-Solver++. */
  let before = null;

  for (let i = steps - 1; i >= 0; i--) {
    const t = spacings[spacing](i, stride);
    const alpha = alphasCumprod[t];
    const previousAlpha = t >= stride ? alphasCumprod[t - stride] : 1;
    const unconditional = await predict(unet, sample, t, Array(labels.length).fill(NO_LABEL), dims);
    const conditional = await predict(unet, sample, t, labels, dims);
    const original = sample.map((x, j) => {
      const m = unconditional[j] + guidance * (conditional[j] - unconditional[j]);
      return Math.min(Math.max((x - Math.sqrt(1 - alpha) * m) / Math.sqrt(alpha), -1), 1);
    });
    if (scheduler === "ddim") {
      const sigma = eta * Math.sqrt(((1 - previousAlpha) / (1 - alpha)) * (1 - alpha / previousAlpha));
      const noise = eta > 0 ? generator.randn(dims).data : new Float32Array(sample.length);
      sample = sample.map((x, j) => {
        const epsilon = (x - Math.sqrt(alpha) * original[j]) / Math.sqrt(1 - alpha);
        const direction = Math.sqrt(Math.max(0, 1 - previousAlpha - sigma ** 2)) * epsilon;
        return Math.sqrt(previousAlpha) * original[j] + direction + sigma * noise[j];
      });
    } else {
      // Algorithm 2 of arXiv 2211.01095; the first step is of order 1, and so is the last, which ends without noise.
      const h = lambdaOf(previousAlpha) - lambdaOf(alpha);
      const slope = before && previousAlpha < 1 ? h / (2 * (lambdaOf(alpha) - before.lambda)) : 0;
      sample = sample.map((x, j) => {
        const corrected = original[j] + (slope && slope * (original[j] - before.original[j]));
        return Math.sqrt((1 - previousAlpha) / (1 - alpha)) * x - Math.sqrt(previousAlpha) * Math.expm1(-h) * corrected;
      });
      before = { original, lambda: lambdaOf(alpha) };
    }
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
