// The fused loop that people write in plain JavaScript.

function linearStep(out, x, m, { sqrtAlpha, sqrtBeta, sqrtAlphaPrev, sqrtBetaPrev }) {
  const scale = 1 / sqrtAlpha;
  const n = out.length;
  for (let i = 0; i < n; i++) {
    const mi = m[i];
    const x0 = (x[i] - sqrtBeta * mi) * scale;
    out[i] = sqrtAlphaPrev * x0 + sqrtBetaPrev * mi;
  }
}

function clippedStep(out, x, m, { sqrtAlpha, sqrtBeta, sqrtAlphaPrev, sqrtBetaPrev }) {
  const scale = 1 / sqrtAlpha;
  const n = out.length;
  for (let i = 0; i < n; i++) {
    const mi = m[i];
    const x0 = Math.min(Math.max((x[i] - sqrtBeta * mi) * scale, -1), 1);
    out[i] = sqrtAlphaPrev * x0 + sqrtBetaPrev * mi;
  }
}

function guidedStep(out, x, m, { guidanceScale, sqrtAlpha, sqrtBeta, sqrtAlphaPrev, sqrtBetaPrev }) {
  const scale = 1 / sqrtAlpha;
  const n = out.length;
  for (let i = 0; i < n; i++) {
    const uncond = m[i];
    const guided = uncond + guidanceScale * (m[n + i] - uncond);
    const x0 = Math.min(Math.max((x[i] - sqrtBeta * guided) * scale, -1), 1);
    out[i] = sqrtAlphaPrev * x0 + sqrtBetaPrev * guided;
  }
}

function thresholdedStep(out, x, m, { batch, threshold, sqrtAlpha, sqrtBeta, sqrtAlphaPrev, sqrtBetaPrev }) {
  const scale = 1 / sqrtAlpha;
  const n = out.length / batch;
  const magnitudes = new Float32Array(n);
  for (let start = 0; start < out.length; start += n) {
    for (let i = 0; i < n; i++) magnitudes[i] = Math.abs((x[start + i] - sqrtBeta * m[start + i]) * scale);
    magnitudes.sort();
    const rank = threshold.ratio * (n - 1);
    const low = Math.floor(rank);
    const high = Math.min(low + 1, n - 1);
    const quantile = magnitudes[low] + (magnitudes[high] - magnitudes[low]) * (rank - low);
    const s = Math.min(Math.max(quantile, 1), threshold.sampleMaxValue);
    for (let i = start; i < start + n; i++) {
      const mi = m[i];
      const x0 = Math.min(Math.max((x[i] - sqrtBeta * mi) * scale, -s), s) / s;
      out[i] = sqrtAlphaPrev * x0 + sqrtBetaPrev * mi;
    }
  }
}

function addNoise(out, x, noise, { sqrtAlpha, sqrtBeta }) {
  const n = out.length;
  for (let i = 0; i < n; i++) out[i] = sqrtAlpha * x[i] + sqrtBeta * noise[i];
}

/** Box-Muller on Math.random: nothing that can be seeded. */
function randn(out) {
  const n = out.length;
  for (let i = 0; i < n; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(1 - Math.random()));
    const angle = 2 * Math.PI * Math.random();
    out[i] = radius * Math.cos(angle);
    out[i + 1] = radius * Math.sin(angle);
  }
}

export const LOOPS = {
  "linear step": linearStep,
  "clipped step": clippedStep,
  "guided clipped step": guidedStep,
  "thresholded step": thresholdedStep,
  addNoise,
  randn,
};

async function prepare(task) {
  const { operation, type } = task;
  let view = (data) => data;
  if (type === "float16") {
    const { Float16Array } = await import("../half.js");
    view = (data) => new Float16Array(data.buffer, data.byteOffset, data.length);
  }
  const loop = LOOPS[operation];
  const result = task.sample.slice().fill(0);
  const out = view(result);
  const x = view(task.sample);
  const second = view(operation === "addNoise" ? task.noise : task.modelOutput);
  return { run: () => loop(out, x, second, task), result: () => result };
}

export default [{ name: "plain loop", prepare }];
