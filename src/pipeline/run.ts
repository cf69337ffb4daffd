// A sampling run, a step at a time.

import { useInstance } from "../module/default.js";
import type { Generator } from "../random/generator.js";
import type { SchedulerOptions } from "../schedule/options.js";
import type { Scheduler } from "../schedulers/scheduler.js";
import type { NoiseOptions, SharedStepOptions, StepHistory, StepResult } from "../schedulers/step-options.js";
import { copyValues, readOperand, type Tensor } from "../tensor/tensor.js";
import { type Inpaint, readInpainting } from "./inpainting.js";
import { ModelCalls } from "./model-calls.js";
import type { ReadRunOptions } from "./options.js";
import { readStart } from "./start.js";
import type { Model, StepReport } from "./types.js";

/** Options of a step that a run may set, where the sampler has them. */
interface RunStepOptions extends SharedStepOptions, NoiseOptions {
  eta?: number;
  useClippedModelOutput?: boolean;
  history?: StepHistory;
}

export class Run {
  readonly #scheduler: Scheduler<SchedulerOptions, RunStepOptions>;
  readonly #timesteps: Int32Array;
  /** Read before the first await: another run may set the scheduler's timesteps meanwhile. */
  readonly #targets: readonly number[];
  readonly #calls: ModelCalls;
  readonly #inpaint: Inpaint | null;
  readonly #stepOptions: RunStepOptions;
  /** Whether predictions of the original sample are wanted. */
  readonly #previews: boolean;
  /** Whether a step takes what the one before predicted. */
  readonly #hasHistory: boolean;
  #history: StepHistory | undefined;
  #sample: Tensor;
  #step = 0;

  constructor(scheduler: Scheduler, model: Model<Tensor>, options: ReadRunOptions, previews: boolean) {
    this.#scheduler = scheduler as unknown as Scheduler<SchedulerOptions, RunStepOptions>;
    this.#timesteps = setRunTimesteps(scheduler, options.numInferenceSteps, options.strength, options.exactSteps);
    this.#targets = Array.from(this.#timesteps, (t) => scheduler.otherSideOf(t, this.#timesteps));
    const start = readStart(options, scheduler, this.#timesteps[0]!);
    this.#calls = new ModelCalls(model, options, start.batch, this.#timesteps.length);
    this.#inpaint = readInpainting(options, start, scheduler);
    this.#previews = previews;
    this.#hasHistory = scheduler.definition.stepOptions.has("history");
    this.#stepOptions = {
      ...readStepOptions(scheduler, options, start.generators),
      ...this.#calls.stepOptions,
      returnDict: previews || this.#hasHistory,
    };
    this.#sample = start.sample.tensor as Tensor;
  }

  get isDone(): boolean {
    return this.#step === this.#timesteps.length;
  }

  get sample(): Tensor {
    return this.#sample;
  }

  /** Makes the next step. */
  async next(): Promise<StepReport> {
    const step = this.#step;
    const total = this.#timesteps.length;
    const timestep = this.#timesteps[step]!;
    const prevTimestep = this.#targets[step]!;
    const modelOutput = await this.#calls.predict(this.#sample, timestep, step);
    const options: RunStepOptions = { ...this.#stepOptions, prevTimestep };
    if (this.#history) options.history = this.#history;
    const result = this.#scheduler.step(modelOutput, this.#sample, timestep, options);
    // The original sample is predicted only where it is wanted: that takes half of a step's time.
    const both = options.returnDict ? (result as StepResult<Tensor>) : null;
    const sample = both ? both.prevSample : (result as Tensor);
    const predOriginalSample = both ? both.predOriginalSample : sample;
    if (this.#hasHistory) {
      // A copy where others see it too: it may change while the model is waited for.
      const kept = this.#previews
        ? copyValues(readOperand(useInstance(), predOriginalSample, "sample"), "sample")
        : predOriginalSample;
      this.#history = { predOriginalSample: kept, timestep, numInferenceSteps: total };
    }
    this.#inpaint?.(readOperand(useInstance(), sample, "sample"), step + 1 < total ? prevTimestep : -1);
    this.#calls.checkFinite(sample, "sample", timestep, step);
    this.#sample = sample;
    this.#step++;
    return { step, total, timestep, sample, predOriginalSample };
  }
}

/** Sets the scheduler's timesteps, where a run says which, and returns those that the run visits: descending. */
export function setRunTimesteps(
  scheduler: Scheduler,
  numInferenceSteps: unknown,
  strength?: number,
  exactSteps = false,
): Int32Array {
  if (exactSteps && (strength === undefined || typeof numInferenceSteps !== "number")) {
    throw new TypeError('"exactSteps" expected strength and a number as numInferenceSteps beside it');
  }
  if (numInferenceSteps !== undefined) scheduler.setTimesteps(numInferenceSteps as number);
  const steps = scheduler.numInferenceSteps;
  if (steps === null) throw new Error("call scheduler.setTimesteps first, or give numInferenceSteps");
  if (strength === undefined) return scheduler.timesteps;
  const spread = scheduler.spreadOver?.(strength);
  if (spread) return spread;
  if (exactSteps) setAtLeast(scheduler, steps, Math.ceil(steps / strength));
  const kept = exactSteps ? steps : Math.max(1, Math.floor(steps * strength));
  return scheduler.timesteps.slice(-kept);
}

/** Sets the scheduler to `wanted` steps, or to the nearest number from `least` on that it can take. */
function setAtLeast(scheduler: Scheduler, least: number, wanted: number): void {
  const most = scheduler.settings.numTrainTimesteps;
  let steps = Math.min(wanted, most);
  while (steps < most && !canTake(scheduler, steps)) steps++;
  while (steps > least && !canTake(scheduler, steps)) steps--;
  scheduler.setTimesteps(steps);
}

function canTake(scheduler: Scheduler, steps: number): boolean {
  try {
    scheduler.setTimesteps(steps);
    return true;
  } catch {
    return false;
  }
}

/** The options of the run's steps, those that are not the same for every sampler included. */
function readStepOptions(
  scheduler: Scheduler,
  { eta, useClippedModelOutput }: ReadRunOptions,
  generators: readonly Generator[],
): RunStepOptions {
  const { stepOptions, className } = scheduler.definition;
  const options: Record<string, unknown> = {};
  for (const [name, value] of Object.entries({ eta, useClippedModelOutput })) {
    if (value === undefined) continue;
    if (!stepOptions.has(name)) throw new TypeError(`"${name}" is no option of the steps of ${className}`);
    options[name] = value;
  }
  if (stepOptions.has("generator")) options["generator"] = generators;
  return options;
}
