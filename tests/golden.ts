// Reading the golden cases.

import { readFileSync } from "node:fs";

/** The parsed content of tests/golden/`name`.json. */
export function readGolden(name: string): any {
  return JSON.parse(readFileSync(new URL(`../../tests/golden/${name}.json`, import.meta.url), "utf8"));
}

/** Defaults of diffusers' DDIMScheduler: a case's name tells what differs. */
const USUAL: Record<string, unknown> = {
  num_train_timesteps: 1000,
  beta_start: 0.0001,
  beta_end: 0.02,
  clip_sample: true,
  clip_sample_range: 1,
  thresholding: false,
  rescale_betas_zero_snr: false,
  set_alpha_to_one: true,
  steps_offset: 0,
};

/** A case's name with its options, as a failing test prints it. */
export function describeCase(golden: any): string {
  const { name, config, num_inference_steps: steps, timestep, eta, use_clipped_model_output: rederives } = golden;
  const step = timestep === undefined ? {} : { timestep, eta, ...(rederives && { use_clipped_model_output: true }) };
  const told = Object.entries({ ...config, num_inference_steps: steps, ...step }).filter(
    ([key, value]) => USUAL[key] !== value && (config.thresholding || !/^(sample_max|dynamic_thr)/.test(key)),
  );
  return `${name} (${told.map(([key, value]) => `${key} ${Array.isArray(value) ? `of ${value.length}` : value}`).join(", ")})`;
}

function bytes(base64: string): ArrayBuffer {
  return Uint8Array.from(Buffer.from(base64, "base64")).buffer;
}

export const float32 = (base64: string): Float32Array<ArrayBuffer> => new Float32Array(bytes(base64));
export const float64 = (base64: string): Float64Array<ArrayBuffer> => new Float64Array(bytes(base64));
export const halves = (base64: string): Uint16Array<ArrayBuffer> => new Uint16Array(bytes(base64));

/** The largest absolute difference over max(1, largest |truth|); Infinity when there is a NaN or a length differs. */
export function relativeError(actual: ArrayLike<number>, truth: ArrayLike<number>): number {
  if (actual.length !== truth.length) return Infinity;
  let difference = 0;
  let largest = 1;
  for (let i = 0; i < truth.length; i++) {
    difference = Math.max(difference, Math.abs(actual[i]! - truth[i]!));
    largest = Math.max(largest, Math.abs(truth[i]!));
  }
  return Number.isNaN(difference) ? Infinity : difference / largest;
}
