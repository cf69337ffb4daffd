// What eta does where the model makes no mistake: the data are three narrow normal distributions on a line, whose noise
// is known by a formula. Every distance is then the sampler's own.

import { DDIMScheduler, Generator } from "ddim-wasm";

const DATA = [
  { weight: 0.3, mean: -0.7 },
  { weight: 0.5, mean: 0.1 },
  { weight: 0.2, mean: 0.8 },
];
const DEVIATION = 0.08;

export const ETAS = [0, 0.25, 0.5, 0.75, 1];
export const ETA_CALLS = [5, 10, 20, 50, 100, 200];
export const SAMPLES = 100_000;

/**
 * The mean of the noise in a sample x = sqrt(a) x_0 + sqrt(1 - a) noise, over all x_0 and noise that give x: what a
 * perfect model answers.
 *
 * @param {Float32Array} samples
 * @param {number} a alphasCumprod of the timestep
 */
function predictNoise(samples, a) {
  const variance = a * DEVIATION ** 2 + 1 - a;
  return samples.map((x) => {
    const distances = DATA.map(({ mean }) => x - Math.sqrt(a) * mean);
    const exponents = distances.map((distance) => -(distance ** 2) / (2 * variance));
    const largest = Math.max(...exponents);
    const shares = exponents.map((exponent, i) => DATA[i].weight * Math.exp(exponent - largest));
    const total = shares.reduce((sum, share) => sum + share);
    const mean = distances.reduce((sum, distance, i) => sum + (shares[i] / total) * distance, 0);
    return (Math.sqrt(1 - a) * mean) / variance;
  });
}

const GRID = { start: -2, step: 2e-4, length: 20_001 };

/** The running sums of `values`, divided by their total. */
function toDistribution(values) {
  let sum = 0;
  const sums = values.map((value) => (sum += value));
  return sums.map((each) => each / sum);
}

const DISTRIBUTION = toDistribution(
  Float64Array.from({ length: GRID.length }, (_, i) => {
    const x = GRID.start + i * GRID.step;
    return DATA.reduce((sum, { weight, mean }) => sum + weight * Math.exp(-(((x - mean) / DEVIATION) ** 2) / 2), 0);
  }),
);

/** How far the samples would have to be moved on average to be distributed as the data are (Wasserstein distance). */
function distanceToData(samples) {
  const counts = new Float64Array(GRID.length);
  for (const x of samples) {
    counts[Math.min(Math.max(Math.ceil((x - GRID.start) / GRID.step), 0), GRID.length - 1)]++;
  }
  const distribution = toDistribution(counts);
  return GRID.step * distribution.reduce((sum, value, i) => sum + Math.abs(value - DISTRIBUTION[i]), 0);
}

/**
 * The distance of samples to the data.
 *
 * @param {{ eta: number, calls: number }} task
 * @returns {number}
 */
export default function measureEta({ eta, calls }) {
  const scheduler = new DDIMScheduler({
    betaSchedule: "squaredcos_cap_v2",
    timestepSpacing: "trailing",
    previousTimestep: "schedule",
    clipSample: false,
  });
  scheduler.setTimesteps(calls);
  const generator = new Generator(1);
  let sample = generator.randn([1, SAMPLES]);
  for (const t of scheduler.timesteps) {
    const data = predictNoise(sample.data, scheduler.alphasCumprod[t]);
    sample = scheduler.step({ data, dims: sample.dims }, sample, t, { eta, generator });
  }
  return distanceToData(sample.data);
}
