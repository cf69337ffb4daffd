// The library's public face.

export {
  DDIMScheduler,
  type DDIMSchedulerConfig,
  type DDIMSchedulerOptions,
  type StepOptions,
} from "./src/schedulers/ddim.js";
export { DDIMInverseScheduler, type InverseStepOptions } from "./src/schedulers/ddim-inverse.js";
export { LCMScheduler, type LCMSchedulerOptions, type LCMStepOptions } from "./src/schedulers/lcm.js";
export { TCDScheduler, type TCDSchedulerOptions, type TCDStepOptions } from "./src/schedulers/tcd.js";
export {
  DPMSolverMultistepScheduler,
  type DPMSolverMultistepSchedulerOptions,
  type DPMSolverMultistepStepOptions,
} from "./src/schedulers/dpm-solver-multistep.js";
export type { DistilledSchedulerOptions } from "./src/schedulers/distilled.js";
export { type AnyScheduler, type AnySchedulerOptions, schedulerFromConfig } from "./src/schedulers/from-config.js";
export type { Scheduler } from "./src/schedulers/scheduler.js";
export type {
  GuidanceOptions,
  NoiseOptions,
  OutOptions,
  SharedStepOptions,
  StepHistory,
  StepResult,
} from "./src/schedulers/step-options.js";
export type { ConfigReporting } from "./src/schedulers/noise-levels.js";
export type { Timesteps } from "./src/schedulers/operands.js";
export type {
  BetaSchedule,
  CommonOptions,
  ConfigOf,
  PredictionType,
  PreviousTimestep,
  SchedulerOptions,
  TimestepSpacing,
} from "./src/schedule/options.js";
export { type FilledTensor, Generator, type RandomOptions } from "./src/random/generator.js";
export { allocate } from "./src/tensor/allocate.js";
export type { ResidentTensor } from "./src/tensor/resident-tensor.js";
export { init } from "./src/module/default.js";
export type { ModuleSource } from "./src/platform/module-source.js";
export type { DType, Float32Data, HalfData } from "./src/tensor/dtype.js";
export type { F16, PlainTensor, ResultOf, Tensor, TensorData, TensorLike } from "./src/tensor/tensor.js";
export { DiffusionPipeline } from "./src/pipeline/pipeline.js";
export type {
  DenoisingScheduler,
  DiffusionPipelineOptions,
  InpaintingOptions,
  Inversion,
  InvertOptions,
  LoopOptions,
  Model,
  ModelContext,
  OnStep,
  RefineOptions,
  RunFromDims,
  RunFromKnown,
  RunFromSample,
  RunOptions,
  SamplingOptions,
  StepReport,
  StopSignal,
  StrengthOptions,
  WorstStep,
} from "./src/pipeline/types.js";
export {
  latentToRgb,
  type LatentRgbFactors,
  type LatentToRgbOptions,
  type RgbaImage,
  SD1_LATENT_RGB,
  SDXL_LATENT_RGB,
} from "./src/preview/latent-rgb.js";
