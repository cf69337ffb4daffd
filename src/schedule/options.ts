// The options that schedulers have in common: one table holds each name, default and check. The type of a configuration,
// its form in a scheduler_config.json and the message for an unknown option come from it.

import {
  boolean,
  type Check,
  checkInteger,
  finite,
  isArrayLike,
  natural,
  positive,
  positiveShare,
} from "../checks/checks.js";
import { outOfRange, wrongType } from "../checks/errors.js";
import { type Entries, OptionTable, type ValuesOf } from "../checks/options.js";
import { type DType, DTYPES } from "../tensor/dtype.js";

export const BETA_SCHEDULES = ["linear", "scaled_linear", "squaredcos_cap_v2", "sigmoid"] as const;
export const PREDICTION_TYPES = ["epsilon", "sample", "v_prediction"] as const;
export const TIMESTEP_SPACINGS = ["linspace", "leading", "trailing"] as const;
export const PREVIOUS_TIMESTEPS = ["stride", "schedule"] as const;

/**
 * The curve that beta, the variance added in one training step, follows.
 *
 * @useDeclaredType
 */
export type BetaSchedule = (typeof BETA_SCHEDULES)[number];
/**
 * What the model predicts: the noise, the original sample, or the velocity (arXiv 2202.00512).
 *
 * @useDeclaredType
 */
export type PredictionType = (typeof PREDICTION_TYPES)[number];
/**
 * How N inference steps are spread over the training steps (arXiv 2305.08891, table 2).
 *
 * @useDeclaredType
 */
export type TimestepSpacing = (typeof TIMESTEP_SPACINGS)[number];
/**
 * Which timestep a step leads to: `t - floor(T / N)`, or the next entry of the list.
 *
 * @useDeclaredType
 */
export type PreviousTimestep = (typeof PREVIOUS_TIMESTEPS)[number];

/** Options of schedulers; all of them may be left out. The defaults are those of {@link DDIMScheduler}. */
export interface SchedulerOptions {
  /** T, the number of diffusion steps the model was trained with: an integer >= 1. Default 1000, or the length of `trainedBetas`. */
  numTrainTimesteps?: number | undefined;
  /** The first beta, in (0, 1). Default 0.0001. "squaredcos_cap_v2" and `trainedBetas` ignore it. */
  betaStart?: number | undefined;
  /** The last beta, in (0, 1]. Default 0.02. "squaredcos_cap_v2" and `trainedBetas` ignore it. */
  betaEnd?: number | undefined;
  /** The curve that beta, the variance added in one training step, follows. Default "squaredcos_cap_v2". */
  betaSchedule?: BetaSchedule | undefined;
  /** The betas themselves, in place of a schedule. Default null. */
  trainedBetas?: ArrayLike<number> | null | undefined;
  /** What the model predicts: the noise, the original sample, or the velocity. Default "epsilon". */
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
  /** How the inference steps are spread over the training steps. Default "leading". */
  timestepSpacing?: TimestepSpacing | undefined;
  /** Added to every timestep of "leading": an integer >= 0. Default 0. */
  stepsOffset?: number | undefined;
  /** The alpha product after the last step is 1; otherwise alphasCumprod[0]. Default true. */
  setAlphaToOne?: boolean | undefined;
  /**
   * Which timestep a step leads to: `t - floor(T / N)`, as in diffusers and MindFlow, or the next entry of the list, which
   * suits "linspace" and "trailing". Default "stride".
   */
  previousTimestep?: PreviousTimestep | undefined;
  /** "float16" rounds every stored value to half precision. Default "float32". */
  computeDtype?: DType | undefined;
}

/** A complete configuration for options of type `O`. */
export type ConfigOf<O> = Readonly<{
  [K in keyof O]-?: K extends "trainedBetas" ? readonly number[] | null : Exclude<O[K], undefined>;
}>;

/** The most training steps: their tables are as long. */
const MOST_TIMESTEPS = 1e6;

/** Copies betas. That each lies in (0, 1) is checked with the finished schedule. */
const betas: Check<readonly number[] | null> = (name, value) => {
  if (value === null) return null;
  const expected = `an array of numbers, at least 1 and at most ${MOST_TIMESTEPS}, or null`;
  if (!isArrayLike(value)) throw wrongType(name, expected, value);
  if (!(value.length >= 1 && value.length <= MOST_TIMESTEPS)) throw outOfRange(name, expected, value.length);
  return Object.freeze(Array.from(value, (beta, i) => finite(`${name}[${i}]`, beta)));
};

export const COMMON_OPTIONS = /* @__PURE__ */ new OptionTable({
  numTrainTimesteps: [undefined, (name, value) => checkInteger(name, value, 1, MOST_TIMESTEPS)], // 1000, or the length of trainedBetas
  betaStart: [0.0001, finite],
  betaEnd: [0.02, finite],
  betaSchedule: ["squaredcos_cap_v2", BETA_SCHEDULES],
  trainedBetas: [null, betas],
  predictionType: ["epsilon", PREDICTION_TYPES],
  thresholding: [false, boolean],
  sampleMaxValue: [1, positive],
  dynamicThresholdingRatio: [0.995, positiveShare],
  rescaleBetasZeroSnr: [false, boolean],
  timestepSpacing: ["leading", TIMESTEP_SPACINGS],
  stepsOffset: [0, natural],
  computeDtype: ["float32", DTYPES],
} satisfies Entries<CommonOptions>);

type ClippingName = "clipSample" | "clipSampleRange" | "setAlphaToOne";

/** Options that every sampler has. */
export interface CommonOptions extends Omit<SchedulerOptions, "previousTimestep" | ClippingName> {}

/** Those and the options of samplers that may clip, and that end at an alpha product of one's choice. */
export const CLIPPING_OPTIONS = /* @__PURE__ */ COMMON_OPTIONS.extend({
  clipSample: [true, boolean],
  clipSampleRange: [1, positive],
  setAlphaToOne: [true, boolean],
} satisfies Entries<Pick<SchedulerOptions, ClippingName>>);

/** All options of DDIM. */
export const SHARED_OPTIONS = /* @__PURE__ */ CLIPPING_OPTIONS.extend({
  previousTimestep: ["stride", PREVIOUS_TIMESTEPS],
} satisfies Entries<Pick<SchedulerOptions, "previousTimestep">>);

/** The complete configuration for the options given. */
export function resolveConfig<O extends SchedulerOptions>(options: O | undefined, table: OptionTable): ConfigOf<O> {
  const read = table.read("options", options) as ValuesOf<typeof SHARED_OPTIONS>;
  const { trainedBetas, betaSchedule, betaStart, betaEnd, rescaleBetasZeroSnr } = read;
  const numTrainTimesteps = read.numTrainTimesteps ?? trainedBetas?.length ?? 1000;
  if (trainedBetas) {
    if (numTrainTimesteps !== trainedBetas.length) {
      throw outOfRange("trainedBetas", `numTrainTimesteps = ${numTrainTimesteps} values`, trainedBetas.length);
    }
  } else if (betaSchedule !== "squaredcos_cap_v2") {
    if (!(betaStart > 0 && betaStart < 1)) throw outOfRange("betaStart", "a number in (0, 1)", betaStart);
    positiveShare("betaEnd", betaEnd);
  }
  if (rescaleBetasZeroSnr && numTrainTimesteps < 2) {
    throw outOfRange("numTrainTimesteps", "an integer >= 2 with rescaleBetasZeroSnr", numTrainTimesteps);
  }
  return Object.freeze({ ...read, numTrainTimesteps }) as unknown as ConfigOf<O>;
}
