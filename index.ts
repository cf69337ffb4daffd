// The library's public face.

export { DDIMScheduler, type StepOptions, type StepResult } from "./src/scheduler.js";
export type { GuidanceOptions, OutOptions } from "./src/noise-scheduler.js";
export type { Timesteps } from "./src/operands.js";
export type {
  BetaSchedule,
  DDIMSchedulerConfig,
  DDIMSchedulerOptions,
  DType,
  PredictionType,
  PreviousTimestep,
  TimestepSpacing,
} from "./src/config.js";
export { DDIMInverseScheduler, type InverseStepOptions } from "./src/inverse-scheduler.js";
export { Generator, type RandomOptions } from "./src/generator.js";
export { allocate, type ResidentTensor } from "./src/resident.js";
export { init } from "./src/core.js";
export type { ModuleSource } from "./src/platform/module-source.js";
export type { F16, PlainTensor, ResultOf, Tensor, TensorData, TensorLike } from "./src/tensor.js";
export { DDIMPipeline } from "./src/pipeline.js";
export type {
  DDIMPipelineOptions,
  Inversion,
  InvertOptions,
  LoopOptions,
  Model,
  ModelContext,
  RunOptions,
  StepReport,
  StopSignal,
} from "./src/pipeline-options.js";
export {
  latentToRgb,
  type LatentRgbFactors,
  type LatentToRgbOptions,
  type RgbaImage,
  SD1_LATENT_RGB,
  SDXL_LATENT_RGB,
} from "./src/latent-rgb.js";
