// What a run of the pipeline can be told, and what it tells.

import {
  boolean,
  callback,
  type Check,
  finite,
  type OptionTable,
  type OptionValues,
  positiveShare,
  share,
} from "./checks.js";
import { type DType, DTYPES } from "./config.js";
import { outOfRange, wrongType } from "./errors.js";
import type { Generator } from "./generator.js";
import { checkGuidance, type GuidanceOptions, type ReadGuidance } from "./noise-scheduler.js";
import type { Operand } from "./operands.js";
import type { DDIMScheduler } from "./scheduler.js";
import type { Tensor } from "./tensor.js";

/** What a model is told beside sample and timestep. */
export interface ModelContext<C = unknown> {
  /** Which step this is, from 0. */
  readonly step: number;
  /** How many there are. */
  readonly total: number;
  /** The run's signal, to be handed on. */
  readonly signal: StopSignal | undefined;
  /** The conditions, one for each batch element of the sample; undefined for a run without. */
  readonly condition: readonly C[] | undefined;
}

/**
 * A model: what it predicts for a sample at a timestep, at once or as a promise. The sample is of the kind that the run
 * started from, `{ data, dims, type }` where it started from `dims`.
 */
export type Model<C = unknown> = (
  sample: any,
  timestep: number,
  context: ModelContext<C>,
) => Tensor | PromiseLike<Tensor>;

/** What is read of an AbortSignal. */
export interface StopSignal {
  readonly aborted: boolean;
  readonly reason?: unknown;
}

/** Options of {@link DDIMPipeline}. */
export interface DDIMPipelineOptions<C = unknown> {
  /** Its timesteps are set by the runs that say how many steps they take. */
  scheduler: DDIMScheduler;
  model: Model<C>;
}

/** Options that `run`, `stream` and `invert` have in common. */
export interface LoopOptions<C = unknown> extends GuidanceOptions {
  /** How many steps, or a list of timesteps. Default: what the scheduler is set to. */
  numInferenceSteps?: number | ArrayLike<number> | undefined;
  /** What each batch element is conditioned on: labels, prompts, embeddings; the model gets them in its context. */
  condition?: readonly C[] | undefined;
  /**
   * With `guidanceScale` and `condition`: the condition that stands for none. The model then gets the sample twice, as
   * one doubled batch, with this condition for the first half. Without `condition` the model doubles the batch itself.
   */
  unconditional?: C | undefined;
  /** Stops the run before the next model call, with the signal's reason. */
  signal?: StopSignal | undefined;
  /** Fail as soon as a model output or a sample is not finite. Default false. */
  checkFinite?: boolean | undefined;
}

/** Options of {@link DDIMPipeline.run} and {@link DDIMPipeline.stream}. */
export interface RunOptions<C = unknown> extends LoopOptions<C> {
  /** Shape of the noise to start from, in place of `sample`. */
  dims?: readonly number[] | undefined;
  /** Type of the noise to start from. Default "float32". */
  type?: DType | undefined;
  /** Source of all noise: one generator, or one for each batch element. Default: one seeded from crypto. */
  generator?: Generator | readonly Generator[] | undefined;
  /** Where to start: noise, or with `strength` the image to change. */
  sample?: Tensor | undefined;
  /** Image-to-image: the share of the way, in (0, 1], that `sample` is noised and denoised again. */
  strength?: number | undefined;
  /** With `strength`: spend all steps on that share of the way. Default false. */
  exactSteps?: boolean | undefined;
  /** Inpainting: 1 where to paint, 0 where to keep `known`; its dims broadcast to the sample's. */
  mask?: Tensor | undefined;
  /** Inpainting: the image whose parts are kept; of the sample's shape. */
  known?: Tensor | undefined;
  /** Inpainting: noise `known` with the noise of the start, or with fresh noise each step. Default "same". */
  knownNoise?: "same" | "fresh" | undefined;
  /** As in step(). Default 0. */
  eta?: number | undefined;
  /** As in step(). Default false. */
  useClippedModelOutput?: boolean | undefined;
}

/** What a run tells after each step. */
export interface StepReport {
  /** Which step was done, from 0. */
  readonly step: number;
  /** How many there are. */
  readonly total: number;
  readonly timestep: number;
  /** The sample after the step. */
  readonly sample: Tensor;
  /** The original sample as predicted in this step: a preview. */
  readonly predOriginalSample: Tensor;
}

/** Options of {@link DDIMPipeline.invert}. */
export interface InvertOptions<C = unknown> extends LoopOptions<C> {
  /** Is called, and waited for, after each step. */
  onStep?: ((report: Omit<StepReport, "predOriginalSample">) => unknown) | undefined;
  /** The image. */
  sample: Tensor;
  /**
   * Correct each step by fixed-point iterations until sampling undoes it: at most `iterations` (default 50) model
   * calls a step, until the residual is at most `tolerance` (default 1e-6). True for the defaults. Default false.
   */
  refine?: boolean | { iterations?: number | undefined; tolerance?: number | undefined } | undefined;
}

/** What {@link DDIMPipeline.invert} returns. */
export interface Inversion {
  /** The noise that the image is sampled from. */
  sample: Tensor;
  /** Whether every step met the tolerance; true where nothing was asked to be refined. */
  converged: boolean;
  /**
   * The largest residual that a refined step was left with, over max(1, largest value), and its timestep; null where
   * nothing was asked to be refined.
   */
  worst: { residual: number; timestep: number } | null;
}

const abortSignal: Check<StopSignal> = (name, value) => {
  if (typeof (value as StopSignal | null)?.aborted === "boolean") return value as StopSignal;
  throw wrongType(name, "an AbortSignal", value);
};

// Tables apart for what is had in common: spread or assigned together they would stay in every bundle.
export const PIPELINE_OPTIONS = {
  scheduler: [undefined],
  model: [undefined],
} satisfies OptionTable<DDIMPipelineOptions>;

export const LOOP_OPTIONS = {
  numInferenceSteps: [undefined],
  guidanceScale: [undefined, finite],
  guidanceRescale: [0, share],
  condition: [undefined],
  unconditional: [undefined],
  signal: [undefined, abortSignal],
  checkFinite: [false, boolean],
} satisfies OptionTable<LoopOptions>;

const KNOWN_NOISE = ["same", "fresh"] as const;

export const SAMPLING_OPTIONS = {
  dims: [undefined],
  type: [undefined, DTYPES],
  generator: [undefined],
  sample: [undefined],
  strength: [undefined, positiveShare],
  exactSteps: [false, boolean],
  mask: [undefined],
  known: [undefined],
  knownNoise: ["same", KNOWN_NOISE],
  eta: [0, share],
  useClippedModelOutput: [false, boolean],
} satisfies OptionTable<Omit<RunOptions, keyof LoopOptions>>;

export const ON_STEP = { onStep: [undefined, callback] } as const;

export const INVERT_OPTIONS = {
  sample: [undefined],
  refine: [false],
} satisfies OptionTable<Omit<InvertOptions, keyof LoopOptions | "onStep">>;

/** Options as they have been read. */
export type ReadLoopOptions = OptionValues<typeof LOOP_OPTIONS>;
export type ReadRunOptions = ReadLoopOptions & OptionValues<typeof SAMPLING_OPTIONS>;

/** What the options say about every model call. */
export interface Loop extends ReadGuidance {
  condition: readonly any[] | undefined;
  /** Whether the model gets the sample twice. */
  doubled: boolean;
  signal: StopSignal | undefined;
  checkFinite: boolean;
}

export function readLoop(options: ReadLoopOptions, sample: Operand): Loop {
  const { guidanceScale, guidanceRescale, condition, unconditional, signal, checkFinite } = options;
  checkGuidance(options);
  const loop = { guidanceScale, guidanceRescale, condition: undefined, doubled: false, signal, checkFinite };
  if (condition === undefined) {
    if (unconditional !== undefined) throw new TypeError('"unconditional" expected condition beside it, got none');
    return loop;
  }
  const batch = sample.dims ? sample.dims[0]! : 1;
  if (!Array.isArray(condition)) throw wrongType("condition", "an array of one for each batch element", condition);
  if (condition.length !== batch) {
    throw outOfRange("condition", `${batch} conditions, one for each batch element`, condition);
  }
  if (guidanceScale === undefined) return { ...loop, condition };
  if (unconditional === undefined) {
    throw new TypeError(
      '"unconditional" expected the condition that stands for none, as guidanceScale and condition are given, got undefined',
    );
  }
  return { ...loop, condition: [...condition.map(() => unconditional), ...condition], doubled: true };
}
