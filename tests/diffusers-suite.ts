// What diffusers' own suites of its schedulers run on (tests/schedulers/test_schedulers.py).

import type { PlainTensor } from "ddim-wasm";

export type Sample = PlainTensor<Float32Array<ArrayBuffer>>;

export const DIMS = [4, 3, 8, 8];
export const COUNT = 768;

/** A tensor whose element [b, c, h, w] comes from its position with the batch as the last axis. */
function deterministic(value: (position: number) => number): Sample {
  const data = Float32Array.from({ length: COUNT }, (_, i) => value((i % 192) * 4 + Math.floor(i / 192)));
  return { data, dims: DIMS, type: "float32" };
}

export const SAMPLE = deterministic((position) => position / COUNT);
export const NOISE = deterministic((position) => (COUNT - 1 - position) / COUNT);

/** The model of the suites. */
export const model = ({ data, dims }: Sample, t: number): Sample => ({
  data: data.map((x) => (x * t) / (t + 1)),
  dims,
  type: "float32",
});

/** What the suites take for a model's output elsewhere. */
export const RESIDUAL: Sample = { ...SAMPLE, data: SAMPLE.data.map((x) => 0.1 * x) };

export const sumOf = ({ data }: Sample): number => data.reduce((total, x) => total + Math.abs(x), 0);

/** The thresholding that the suites go through. */
export const THRESHOLDING = [
  { thresholding: false },
  ...[0.5, 1, 2].flatMap((sampleMaxValue) =>
    (["epsilon", "v_prediction"] as const).map((predictionType) => ({
      thresholding: true,
      predictionType,
      sampleMaxValue,
    })),
  ),
];
