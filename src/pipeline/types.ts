// Types of the pipeline: its options, what a model gets, and what runs report.

import type { Generator } from "../random/generator.js";
import type { Scheduler } from "../schedulers/scheduler.js";
import type { GuidanceOptions } from "../schedulers/step-options.js";
import type { Float32Data, HalfData } from "../tensor/dtype.js";
import type { PlainTensor, ResultOf, Tensor } from "../tensor/tensor.js";

/** What a model gets beside sample and timestep. */
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
 * A model: what it predicts for a sample at a timestep, at once or as a promise.
 *
 * @typeParam X the tensors it takes: a run from `dims` gives it `{ data, dims, type }`, and one from a sample its kind
 * @typeParam C its conditions
 */
export type Model<X extends Tensor = PlainTensor<Float32Data>, C = unknown> = (
  sample: X,
  timestep: number,
  context: ModelContext<C>,
) => Tensor | PromiseLike<Tensor>;

/** What is read of an AbortSignal. */
export interface StopSignal {
  /** Whether to stop. */
  readonly aborted: boolean;
  /** What the run is rejected with. */
  readonly reason?: unknown;
}

/** Any scheduler of this package that leads from noise to an image. */
export type DenoisingScheduler = Pick<
  Scheduler<never, never>,
  "setTimesteps" | "addNoise" | "timesteps" | "toConfig"
> & {
  /** The alpha product after the last step. */
  readonly finalAlphaCumprod: number;
};

/** Options of {@link DiffusionPipeline}. */
export interface DiffusionPipelineOptions<X extends Tensor = PlainTensor<Float32Data>, C = unknown> {
  /** Its timesteps are set by the runs that say how many steps they take. */
  scheduler: DenoisingScheduler;
  /** Is called once a step. */
  model: Model<X, C>;
}

/** Options that `run`, `stream` and `invert` have in common. */
export interface LoopOptions<C = unknown> extends GuidanceOptions {
  /** How many steps, or a list of timesteps. Default: what the scheduler is set to. */
  numInferenceSteps?: number | ArrayLike<number> | undefined;
  /** As in step(): the model's output has twice the channels, the prediction first. Default false. */
  learnedVariance?: boolean | undefined;
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

/** Options of every sampling run. */
export interface SamplingOptions<C = unknown> extends LoopOptions<C> {
  /** Source of all noise: one generator, or one for each batch element. Default: one seeded from crypto. */
  generator?: Generator | readonly Generator[] | undefined;
  /** As in step(). Default: the scheduler's own. */
  eta?: number | undefined;
  /** As in step(). Default false. */
  useClippedModelOutput?: boolean | undefined;
}

/** Inpainting: both, or neither. */
export interface InpaintingOptions {
  /** 1 where to paint, 0 where to keep `known`; its dims broadcast to the sample's. */
  mask: Tensor;
  /** The image whose parts are kept; of the sample's shape. */
  known: Tensor;
  /**
   * What `known` is noised with: the noise that the run starts from, fresh noise each step, or noise of your own, of the
   * sample's shape. Default "same".
   */
  knownNoise?: "same" | "fresh" | Tensor | undefined;
}

interface NoInpainting {
  mask?: undefined;
  known?: undefined;
  knownNoise?: undefined;
}

/** Image-to-image: how much of the image is changed. */
export interface StrengthOptions {
  /**
   * The share of the way, in (0, 1], that the image is noised and denoised again; with a mask, 1 starts from noise. LCM
   * and TCD spend all their steps on it, picked from its part of the `originalInferenceSteps`.
   */
  strength: number;
  /** Spend all steps on that share of the way. Default false. */
  exactSteps?: boolean | undefined;
}

interface NoStrength {
  strength?: undefined;
  exactSteps?: false | undefined;
}

/** A run that starts from noise of a shape. */
export type RunFromDims<T extends "float32" | "float16", C = unknown> = SamplingOptions<C> &
  (InpaintingOptions | NoInpainting) &
  NoStrength & {
    /** Shape of the noise to start from. */
    dims: readonly number[];
    /** Type of the noise to start from. Default "float32". */
    type?: T | undefined;
    /** None: `dims` says what to start from. */
    sample?: undefined;
  };

/** A run that starts from a tensor: noise, or with `strength` the image to change. */
export type RunFromSample<X extends Tensor, C = unknown> = SamplingOptions<C> &
  (InpaintingOptions | NoInpainting) &
  (StrengthOptions | NoStrength) & {
    /** The noise to start from, or with `strength` the image. */
    sample: X;
    /** None: they are the sample's. */
    dims?: undefined;
    /** None: it is the sample's. */
    type?: undefined;
  };

/** A run that changes the part of `known` that is masked, with `strength`. */
export type RunFromKnown<X extends Tensor, C = unknown> = SamplingOptions<C> &
  InpaintingOptions &
  StrengthOptions & {
    /** The image to start from, whose parts are kept. */
    known: X;
    /** None: `known` is what to start from. */
    sample?: undefined;
    /** None: they are those of `known`. */
    dims?: undefined;
    /** None: it is that of `known`. */
    type?: undefined;
  };

/** Every run from `dims` of a pipeline whose model takes `X`. */
export type AnyRunFromDims<X extends Tensor, C> =
  | IfTaken<PlainTensor<Float32Data> | PlainTensor<HalfData>, X, RunFromDims<"float32" | "float16", C>>
  | IfTaken<PlainTensor<Float32Data>, X, RunFromDims<"float32", C>>
  | IfTaken<PlainTensor<HalfData>, X, RunFromDims<"float16", C> & { type: "float16" }>;

/** What such runs give. */
export type AnyFromDims<X extends Tensor> =
  | IfTaken<PlainTensor<Float32Data>, X, PlainTensor<Float32Data>>
  | IfTaken<PlainTensor<HalfData>, X, PlainTensor<HalfData>>;

/**
 * Options of {@link DiffusionPipeline.run} and {@link DiffusionPipeline.stream}.
 *
 * @typeParam X the tensors that the pipeline's model takes
 * @typeParam C the model's conditions
 */
export type RunOptions<X extends Tensor = PlainTensor<Float32Data>, C = unknown> =
  AnyRunFromDims<X, C> | RunFromSample<X, C> | RunFromKnown<X, C>;

/** The option of {@link DiffusionPipeline.run} that `stream` does without. */
export interface OnStep<R> {
  /** Is called, and waited for, after each step. */
  onStep?: ((report: StepReport<R>) => unknown) | undefined;
}

/** What a run tells after each step. */
export interface StepReport<R = Tensor> {
  /** Which step was done, from 0. */
  readonly step: number;
  /** How many there are. */
  readonly total: number;
  /** The timestep that the step started from. */
  readonly timestep: number;
  /** The sample after the step. */
  readonly sample: R;
  /** The original sample as predicted in this step: a preview. */
  readonly predOriginalSample: R;
}

/** How far each step of an inversion is corrected. */
export interface RefineOptions {
  /** The most model calls a step, an integer >= 1. Default 50. */
  iterations?: number | undefined;
  /** The residual that is small enough, over max(1, largest value). Default 1e-6. */
  tolerance?: number | undefined;
}

/** Options of {@link DiffusionPipeline.invert}. */
export interface InvertOptions<X extends Tensor = Tensor, C = unknown> extends LoopOptions<C> {
  /** Is called, and waited for, after each step. */
  onStep?: ((report: Omit<StepReport<ResultOf<X>>, "predOriginalSample">) => unknown) | undefined;
  /** The image. */
  sample: X;
  /**
   * Correct each step by fixed-point iterations until sampling undoes it: at most `iterations` (default 50) model
   * calls a step, until the residual is at most `tolerance` (default 1e-6). True for the defaults. Default false.
   */
  refine?: boolean | RefineOptions | undefined;
}

/** The step of an inversion that was left with the largest residual. */
export interface WorstStep {
  /** The residual, over max(1, largest value). */
  residual: number;
  /** Its timestep. */
  timestep: number;
}

/** What {@link DiffusionPipeline.invert} returns. */
export interface Inversion<R = Tensor> {
  /** The noise that the image is sampled from. */
  sample: R;
  /** Whether every step met the tolerance; true where nothing was asked to be refined. */
  converged: boolean;
  /**
   * The largest residual that a refined step was left with, over max(1, largest value), and its timestep; null where
   * nothing was asked to be refined.
   */
  worst: WorstStep | null;
}

/** `O` where a model that takes `X` takes `R` as well; else nothing fits. */
export type IfTaken<R, X, O> = [R] extends [X] ? O : never;
