// The library's public face.

export {
  DDIMScheduler,
  type OutOptions,
  type ResultOf,
  type StepOptions,
  type StepResult,
  type Timesteps,
} from "./src/scheduler.js";
export type {
  BetaSchedule,
  DDIMSchedulerConfig,
  DDIMSchedulerOptions,
  DType,
  PredictionType,
  PreviousTimestep,
  TimestepSpacing,
} from "./src/config.js";
export { Generator, type RandomOptions } from "./src/generator.js";
export { init, type ModuleSource } from "./src/core.js";
export type { F16, PlainTensor, Tensor, TensorData, TensorLike } from "./src/tensor.js";
