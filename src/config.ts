// The scheduler's options: one table holds each name, default and check. Everything else that knows the options
// (the type of a configuration, its snake_case form, the message for an unknown one) is derived from it.

import {
  boolean,
  type Check,
  count,
  isArrayLike,
  isRecord,
  natural,
  type OptionTable,
  positive,
  positiveShare,
  readOptions,
  refuse,
} from "./checks.js";
import { outOfRange, show, wrongType } from "./errors.js";

export const BETA_SCHEDULES = ["linear", "scaled_linear", "squaredcos_cap_v2", "sigmoid"] as const;
export const PREDICTION_TYPES = ["epsilon", "sample", "v_prediction"] as const;
export const TIMESTEP_SPACINGS = ["linspace", "leading", "trailing"] as const;
export const PREVIOUS_TIMESTEPS = ["stride", "schedule"] as const;
export const DTYPES = ["float32", "float16"] as const;

/** The curve that beta, the variance added in one training step, follows. */
export type BetaSchedule = (typeof BETA_SCHEDULES)[number];
/** What the model predicts: the noise, the original sample, or the velocity (arXiv 2202.00512). */
export type PredictionType = (typeof PREDICTION_TYPES)[number];
/** How N inference steps are spread over the training steps (arXiv 2305.08891, table 2). */
export type TimestepSpacing = (typeof TIMESTEP_SPACINGS)[number];
/** Which timestep a step leads to: `t - floor(T / N)`, or the next entry of the list. */
export type PreviousTimestep = (typeof PREVIOUS_TIMESTEPS)[number];
/** The type of a tensor's values. */
export type DType = (typeof DTYPES)[number];

/** Options of {@link DDIMScheduler}; all of them may be left out. */
export interface DDIMSchedulerOptions {
  /** T, the number of diffusion steps the model was trained with: an integer >= 1. Default 1000, or the length of `trainedBetas`. */
  numTrainTimesteps?: number | undefined;
  /** The first beta, in (0, 1). Default 0.0001. Ignored by "squaredcos_cap_v2" and `trainedBetas`. */
  betaStart?: number | undefined;
  /** The last beta, in (0, 1]. Default 0.02. Ignored by "squaredcos_cap_v2" and `trainedBetas`. */
  betaEnd?: number | undefined;
  /** Default "squaredcos_cap_v2". */
  betaSchedule?: BetaSchedule | undefined;
  /** The betas themselves, in place of a schedule. Default null. */
  trainedBetas?: ArrayLike<number> | null | undefined;
  /** Default "epsilon". */
  predictionType?: PredictionType | undefined;
  /** Clamp the predicted original sample to [-clipSampleRange, clipSampleRange]. Default true. */
  clipSample?: boolean | undefined;
  /** Bound of the clamp, > 0. Default 1. */
  clipSampleRange?: number | undefined;
  /** Dynamic thresholding (arXiv 2205.11487) in place of clipping. Default false. */
  thresholding?: boolean | undefined;
  /** Upper bound of the dynamic threshold, > 0. Default 1. */
  sampleMaxValue?: number | undefined;
  /** The quantile of |x_0| that becomes the dynamic threshold, in (0, 1]. Default 0.995. */
  dynamicThresholdingRatio?: number | undefined;
  /** Rescale the betas so that the last alpha product is 0 (arXiv 2305.08891, algorithm 1). Default false. */
  rescaleBetasZeroSnr?: boolean | undefined;
  /** Default "leading". */
  timestepSpacing?: TimestepSpacing | undefined;
  /** Added to every timestep of "leading": an integer >= 0. Default 0. */
  stepsOffset?: number | undefined;
  /** The alpha product after the last step is 1; otherwise alphasCumprod[0]. Default true. */
  setAlphaToOne?: boolean | undefined;
  /** Default "stride", what diffusers and MindFlow do; "schedule" suits "linspace" and "trailing". */
  previousTimestep?: PreviousTimestep | undefined;
  /** "float16" rounds every stored value to half precision. Default "float32". */
  computeDtype?: DType | undefined;
}

/** A scheduler's complete configuration. */
export type DDIMSchedulerConfig = Readonly<{
  [K in keyof DDIMSchedulerOptions]-?: K extends "trainedBetas"
    ? readonly number[] | null
    : Exclude<DDIMSchedulerOptions[K], undefined>;
}>;

const number: Check<number> = (name, value) =>
  typeof value === "number" && value === value ? value : refuse(name, value, "number", "a number");

/** Copies betas; that each lies in (0, 1) is checked with the finished schedule. */
const betas: Check<readonly number[] | null> = (name, value) => {
  if (value === null) return null;
  if (!isArrayLike(value) || value.length === 0)
    throw wrongType(name, "an array of at least one number, or null", value);
  return Object.freeze(Array.from(value, (beta, i) => number(`${name}[${i}]`, beta)));
};

const OPTIONS = {
  numTrainTimesteps: [1000, count],
  betaStart: [0.0001, number],
  betaEnd: [0.02, number],
  betaSchedule: ["squaredcos_cap_v2", BETA_SCHEDULES],
  trainedBetas: [null, betas],
  predictionType: ["epsilon", PREDICTION_TYPES],
  clipSample: [true, boolean],
  clipSampleRange: [1, positive],
  thresholding: [false, boolean],
  sampleMaxValue: [1, positive],
  dynamicThresholdingRatio: [0.995, positiveShare],
  rescaleBetasZeroSnr: [false, boolean],
  timestepSpacing: ["leading", TIMESTEP_SPACINGS],
  stepsOffset: [0, natural],
  setAlphaToOne: [true, boolean],
  previousTimestep: ["stride", PREVIOUS_TIMESTEPS],
  computeDtype: ["float32", DTYPES],
} satisfies OptionTable<DDIMSchedulerOptions>;

/** The complete configuration for the options given. */
export function resolveConfig(options: DDIMSchedulerOptions): DDIMSchedulerConfig {
  const config = readOptions("options", options, OPTIONS) as {
    -readonly [K in keyof DDIMSchedulerConfig]: DDIMSchedulerConfig[K];
  };
  const { trainedBetas, betaSchedule } = config;
  if (trainedBetas) {
    const { length } = trainedBetas;
    if (options.numTrainTimesteps === undefined) config.numTrainTimesteps = length;
    if (config.numTrainTimesteps !== length) {
      throw outOfRange("trainedBetas", `numTrainTimesteps = ${config.numTrainTimesteps} values`, length);
    }
  } else if (betaSchedule !== "squaredcos_cap_v2") {
    const { betaStart } = config;
    if (!(betaStart > 0 && betaStart < 1)) throw outOfRange("betaStart", "a number in (0, 1)", betaStart);
    positiveShare("betaEnd", config.betaEnd);
  }
  if (config.rescaleBetasZeroSnr && config.numTrainTimesteps < 2) {
    throw outOfRange("numTrainTimesteps", "an integer >= 2 with rescaleBetasZeroSnr", config.numTrainTimesteps);
  }
  return Object.freeze(config);
}

const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** A configuration in the form of a diffusers scheduler_config.json. */
export function exportConfig(config: DDIMSchedulerConfig, className: string): Record<string, unknown> {
  const exported: Record<string, unknown> = { _class_name: className };
  for (const [name, value] of Object.entries(config)) {
    exported[snakeCase(name)] = Array.isArray(value) ? value.slice() : value;
  }
  return exported;
}

/** What `importConfig` read, and what its user should be told. */
export interface ImportedConfig {
  options: DDIMSchedulerOptions;
  warnings: string[];
}

/**
 * Options from a diffusers scheduler_config.json, text or parsed, with `overrides` over them. Keys that DDIM does
 * not know are ignored: a DDIM is often made from another scheduler's configuration.
 */
export function importConfig(source: unknown, overrides: DDIMSchedulerOptions): ImportedConfig {
  const config = parse(source);
  readOptions("overrides", overrides, OPTIONS);
  const byKey = new Map(Object.keys(OPTIONS).map((name) => [snakeCase(name), name]));
  const options: Record<string, unknown> = { betaSchedule: "linear" }; // diffusers' default, unlike MindFlow's
  const ignored: string[] = [];
  for (const [key, value] of Object.entries(config)) {
    const name = byKey.get(key);
    if (name) options[name] = value;
    else if (!key.startsWith("_")) ignored.push(key);
  }
  for (const [name, value] of Object.entries(overrides)) if (value !== undefined) options[name] = value;
  const warnings = ignored.length > 0 ? [`config: ignored what DDIM does not know: ${ignored.join(", ")}`] : [];
  warnings.push(...inheritedTraps(config, options));
  return { options, warnings };
}

function parse(source: unknown): Record<string, unknown> {
  let config = source;
  try {
    if (typeof source === "string") config = JSON.parse(source);
  } catch {
    // is told below
  }
  if (!isRecord(config)) throw wrongType("config", "a scheduler_config.json, as text or parsed", source);
  return config;
}

/** Settings that come with a configuration and are seldom meant. */
function inheritedTraps(config: Record<string, unknown>, options: DDIMSchedulerOptions): string[] {
  const warnings: string[] = [];
  const className = config["_class_name"];
  if (options.setAlphaToOne === false && className !== undefined && className !== "DDIMScheduler") {
    warnings.push(
      `config: set_alpha_to_one is false, inherited from ${show(className)}: the last step ends at alphasCumprod[0], a little noise away from the image`,
    );
  }
  if (options.betaSchedule === "scaled_linear" && (options.clipSample ?? true) && !options.thresholding) {
    warnings.push(
      `config: clip_sample is ${options.clipSample === undefined ? "missing, which means true," : "true"} with beta_schedule "scaled_linear": latents exceed 1 and would be clipped; latent-space models want clipSample: false`,
    );
  }
  if (options.rescaleBetasZeroSnr === true && (options.predictionType ?? "epsilon") === "epsilon") {
    warnings.push(
      `config: rescale_betas_zero_snr is true with prediction_type "epsilon": a step from the last timestep is impossible there; it takes "v_prediction" or "sample"`,
    );
  }
  return warnings;
}
