// What people write in plain JavaScript for a batch whose elements differ in more than their values.

import { alphasCumprod, STRIDE } from "../data.js";

/** A timestep for each batch element. */
export function stepEach(out, x, m, { batch, timestep }) {
  const size = out.length / batch;
  for (let element = 0, i = 0; element < batch; element++) {
    const t = timestep[element];
    const alpha = alphasCumprod[t];
    const alphaPrev = t < STRIDE ? 1 : alphasCumprod[t - STRIDE];
    const scale = 1 / Math.sqrt(alpha);
    const sqrtBeta = Math.sqrt(1 - alpha);
    const sqrtAlphaPrev = Math.sqrt(alphaPrev);
    const sqrtBetaPrev = Math.sqrt(1 - alphaPrev);
    for (const end = i + size; i < end; i++) {
      const mi = m[i];
      const x0 = Math.min(Math.max((x[i] - sqrtBeta * mi) * scale, -1), 1);
      out[i] = sqrtAlphaPrev * x0 + sqrtBetaPrev * mi;
    }
  }
}

/** Guidance, rescaled by the deviations of each batch element. */
export function stepRescaled(out, x, m, task) {
  const { batch, guidanceScale, guidanceRescale, sqrtAlpha, sqrtBeta, sqrtAlphaPrev, sqrtBetaPrev } = task;
  const scale = 1 / sqrtAlpha;
  const n = out.length;
  const size = n / batch;
  for (let start = 0; start < n; start += size) {
    let condSum = 0;
    let condSquares = 0;
    let guidedSum = 0;
    let guidedSquares = 0;
    for (let i = start; i < start + size; i++) {
      const cond = m[n + i];
      const guided = m[i] + guidanceScale * (cond - m[i]);
      condSum += cond;
      condSquares += cond * cond;
      guidedSum += guided;
      guidedSquares += guided * guided;
    }
    const condVariance = condSquares - (condSum * condSum) / size;
    const guidedVariance = guidedSquares - (guidedSum * guidedSum) / size;
    const ratio = guidedVariance > 0 ? Math.sqrt(condVariance / guidedVariance) : 1;
    const factor = guidanceRescale * ratio + 1 - guidanceRescale;
    for (let i = start; i < start + size; i++) {
      const mi = (m[i] + guidanceScale * (m[n + i] - m[i])) * factor;
      const x0 = Math.min(Math.max((x[i] - sqrtBeta * mi) * scale, -1), 1);
      out[i] = sqrtAlphaPrev * x0 + sqrtBetaPrev * mi;
    }
  }
}

/** Dynamic thresholding of few values: they are sorted by insertion. */
export function stepThresholded(out, x, m, { batch, threshold, sqrtAlpha, sqrtBeta, sqrtAlphaPrev, sqrtBetaPrev }) {
  const scale = 1 / sqrtAlpha;
  const size = out.length / batch;
  const rank = threshold.ratio * (size - 1);
  const low = Math.floor(rank);
  const sorted = new Float32Array(size);
  for (let start = 0; start < out.length; start += size) {
    for (let i = 0; i < size; i++) {
      const magnitude = Math.abs((x[start + i] - sqrtBeta * m[start + i]) * scale);
      let at = i;
      for (; at > 0 && sorted[at - 1] > magnitude; at--) sorted[at] = sorted[at - 1];
      sorted[at] = magnitude;
    }
    const quantile = sorted[low] + (sorted[Math.min(low + 1, size - 1)] - sorted[low]) * (rank - low);
    const s = Math.min(Math.max(quantile, 1), threshold.sampleMaxValue);
    for (let i = start; i < start + size; i++) {
      const mi = m[i];
      const x0 = Math.min(Math.max((x[i] - sqrtBeta * mi) * scale, -s), s) / s;
      out[i] = sqrtAlphaPrev * x0 + sqrtBetaPrev * mi;
    }
  }
}

/** Noise from a generator of each batch element's own. */
export function stepNoisy(out, x, m, task) {
  const { batch, twisters, sigma, sqrtAlpha, sqrtBeta, sqrtAlphaPrev, sqrtBetaPrev } = task;
  const scale = 1 / sqrtAlpha;
  const size = out.length / batch;
  const noise = new Float32Array(size);
  for (let element = 0, i = 0; element < batch; element++) {
    twisters[element].fillNormal(noise);
    for (let j = 0; j < size; j++, i++) {
      const mi = m[i];
      const x0 = Math.min(Math.max((x[i] - sqrtBeta * mi) * scale, -1), 1);
      out[i] = sqrtAlphaPrev * x0 + sqrtBetaPrev * mi + sigma * noise[j];
    }
  }
}
