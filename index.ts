// The library's public face.

export { DDIMScheduler, type StepOptions, type StepResult } from "./src/scheduler.js";
export type { OutOptions } from "./src/noise-scheduler.js";
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
export { Generator, type RandomOptions } from "./src/generator.js";
export { allocate, type ResidentTensor } from "./src/resident.js";
export { init, type ModuleSource } from "./src/core.js";
export type { F16, PlainTensor, ResultOf, Tensor, TensorData, TensorLike } from "./src/tensor.js";
