// The loop around step(): sampling, guidance, image-to-image, inpainting, inversion.

import { readOptions } from "./checks.js";
import { wrongType } from "./errors.js";
import { readInpainting } from "./inpainting.js";
import { DDIMInverseScheduler } from "./inverse-scheduler.js";
import { type Operand, readOperand } from "./operands.js";
import {
  type DDIMPipelineOptions,
  INVERT_OPTIONS,
  type Inversion,
  type InvertOptions,
  type Loop,
  LOOP_OPTIONS,
  type Model,
  ON_STEP,
  PIPELINE_OPTIONS,
  readLoop,
  type ReadLoopOptions,
  type ReadRunOptions,
  type RunOptions,
  SAMPLING_OPTIONS,
  type StepReport,
} from "./pipeline-options.js";
import { readRefinement, refineStep } from "./refinement.js";
import { readStart } from "./run-start.js";
import { DDIMScheduler } from "./scheduler.js";
import { toFloats } from "./staging.js";
import { isHalf, makeLike, type Tensor } from "./tensor.js";

/**
 * A scheduler and a model, run as a loop.
 *
 * @example
 * import { DDIMPipeline, DDIMScheduler, Generator } from "ddim-wasm";
 *
 * const pipeline = new DDIMPipeline({ scheduler: new DDIMScheduler(), model: (sample, t) => unet(sample, t) });
 * const image = await pipeline.run({ dims: [1, 1, 32, 32], generator: new Generator(0), numInferenceSteps: 20 });
 */
export class DDIMPipeline<C = any> {
  readonly scheduler: DDIMScheduler;
  readonly model: Model<C>;

  /**
   * @param options `scheduler` and `model`
   * @throws TypeError for anything else
   */
  constructor(options: DDIMPipelineOptions<C>) {
    const { scheduler, model } = readOptions("options", options, PIPELINE_OPTIONS);
    if (!(scheduler instanceof DDIMScheduler)) throw wrongType("scheduler", "a DDIMScheduler", scheduler);
    if (typeof model !== "function") throw wrongType("model", "a function", model);
    this.scheduler = scheduler;
    this.model = model as Model<C>;
  }

  /**
   * Samples: from noise, or with `strength` from an image, or with `mask` and `known` around one.
   *
   * @param options see {@link RunOptions}; `onStep` is called, and waited for, after each step
   * @returns the sample after the last step
   * @throws (rejects) TypeError or RangeError for options that do not fit; the signal's reason; what the model throws;
   * Error for a value that is not finite under `checkFinite`
   * @example
   * import { Generator } from "ddim-wasm";
   * const image = await pipeline.run({
   *   dims: [1, 4, 64, 64],
   *   generator: new Generator(42),
   *   numInferenceSteps: 20,
   *   onStep: ({ step, total }) => console.log(`${step + 1} of ${total}`),
   * });
   */
  async run(options: RunOptions<C> & { onStep?: ((report: StepReport) => unknown) | undefined }): Promise<any> {
    const read = readOptions("options", options, { ...LOOP_OPTIONS, ...SAMPLING_OPTIONS, ...ON_STEP });
    const { onStep } = read;
    let sample: Tensor | undefined;
    for await (const report of this.#sample(read, onStep !== undefined)) {
      await onStep?.(report);
      sample = report.sample;
    }
    return sample;
  }

  /**
   * As `run`, step by step. Leaving the loop ends the run.
   *
   * @param options see {@link RunOptions}
   * @returns an async iterable of {@link StepReport}
   * @throws as `run`: for an option of the wrong kind at once, for all else when it is iterated
   * @example
   * for await (const { step, predOriginalSample } of pipeline.stream({ dims: [1, 4, 64, 64] })) {
   *   show(step, predOriginalSample);
   * }
   */
  stream(options: RunOptions<C>): AsyncGenerator<StepReport, void, void> {
    const read = readOptions("options", options, { ...LOOP_OPTIONS, ...SAMPLING_OPTIONS });
    return this.#sample(read, true) as AsyncGenerator<StepReport, void, void>;
  }

  /**
   * Inverts a sampling run (DDIM inversion, arXiv 2010.02502, section 4.3): finds the noise that `sample` comes from.
   *
   * A plain inversion takes the model's output at the wrong end of each step, and so gives the image back only nearly.
   * With `refine` every step is corrected until the scheduler's own step undoes it.
   *
   * @param options see {@link InvertOptions}
   * @returns the noise, and whether every step converged
   * @throws (rejects) as `run`; RangeError for a scheduler with thresholding
   * @example
   * const { sample: noise, converged } = await pipeline.invert({ sample: image, numInferenceSteps: 50, refine: true });
   * const again = await pipeline.run({ sample: noise, numInferenceSteps: 50 });
   */
  async invert(options: InvertOptions<C>): Promise<Inversion> {
    const read = readOptions("options", options, { ...LOOP_OPTIONS, ...INVERT_OPTIONS, ...ON_STEP });
    const { onStep } = read;
    const { scheduler } = this;
    const refinement = readRefinement(read.refine);
    const inverse = new DDIMInverseScheduler(scheduler.config);
    let x = readOperand(read.sample, "sample");
    if (refinement && isHalf(x.data)) throw wrongType("sample", "float32 data to refine", x.data);
    const loop = readLoop(read, x);
    const timesteps = this.#timesteps(read).slice().reverse();
    const sources = Array.from(timesteps, (t) => scheduler.targetOf(t));

    const total = timesteps.length;
    const inversion: Inversion = { sample: options.sample, converged: true, worst: null };
    for (let step = 0; step < total; step++) {
      const timestep = timesteps[step]!;
      const guidance = { guidanceScale: loop.guidanceScale, guidanceRescale: loop.guidanceRescale };
      const stepOptions = { prevTimestep: sources[step]!, ...guidance };
      const modelOutput = await this.#predict(x, timestep, step, total, loop);
      const next = readOperand(inverse.step(modelOutput, x.tensor as Tensor, timestep, stepOptions), "sample");
      if (refinement) {
        const undo = async (): Promise<Float32Array> => {
          const output = await this.#predict(next, timestep, step, total, loop);
          return scheduler.step(output, next.values as Float32Array, timestep, stepOptions);
        };
        const gain = Math.sqrt(scheduler.alphasCumprod[timestep]! / scheduler.alphaAt(sources[step]!));
        const residual = await refineStep(
          next.values as Float32Array,
          x.values as Float32Array,
          gain,
          refinement,
          undo,
        );
        if (!(residual <= refinement.tolerance)) inversion.converged = false;
        if (!inversion.worst || !(residual <= inversion.worst.residual)) inversion.worst = { residual, timestep };
      }
      if (loop.checkFinite) checkFiniteValues(next, "sample", step, timestep);
      x = next;
      await onStep?.({ step, total, timestep, sample: x.tensor as Tensor });
    }
    inversion.sample = x.tensor as Tensor;
    return inversion;
  }

  async *#sample(
    options: ReadRunOptions,
    previews: boolean,
  ): AsyncGenerator<Omit<StepReport, "predOriginalSample"> & { predOriginalSample?: Tensor }, void, void> {
    const { scheduler } = this;
    const { eta, useClippedModelOutput } = options;
    const timesteps = this.#timesteps(options);
    // Taken now: another run may set the scheduler while this one waits for its model.
    const targets = Array.from(timesteps, (t) => scheduler.targetOf(t));
    const start = readStart(options, scheduler, timesteps[0]!);
    const loop = readLoop(options, start.sample);
    const inpaint = readInpainting(options, start, scheduler);

    const total = timesteps.length;
    let x = start.sample;
    for (let step = 0; step < total; step++) {
      const timestep = timesteps[step]!;
      const modelOutput = await this.#predict(x, timestep, step, total, loop);
      const result = scheduler.step(modelOutput, x.tensor as Tensor, timestep, {
        prevTimestep: targets[step]!,
        eta,
        useClippedModelOutput,
        generator: start.generators,
        guidanceScale: loop.guidanceScale,
        guidanceRescale: loop.guidanceRescale,
        returnDict: true,
      });
      x = readOperand(result.prevSample, "sample");
      inpaint?.(x, step + 1 < total ? targets[step]! : -1);
      if (loop.checkFinite) checkFiniteValues(x, "sample", step, timestep);
      const report = { step, total, timestep, sample: result.prevSample };
      yield previews ? { ...report, predOriginalSample: result.predOriginalSample } : report;
    }
  }

  /** The timesteps of a run, descending. */
  #timesteps(options: ReadLoopOptions & Partial<ReadRunOptions>): Int32Array {
    const { scheduler } = this;
    const { numInferenceSteps, strength, exactSteps } = options;
    if (exactSteps && (strength === undefined || typeof numInferenceSteps !== "number")) {
      throw new TypeError('"exactSteps" expected strength and a number as numInferenceSteps beside it');
    }
    if (numInferenceSteps !== undefined) scheduler.setTimesteps(numInferenceSteps as number);
    if (scheduler.numInferenceSteps === null) {
      throw new Error("call scheduler.setTimesteps first, or give numInferenceSteps");
    }
    if (strength === undefined) return scheduler.timesteps;
    let kept = Math.max(1, Math.floor(scheduler.numInferenceSteps * strength));
    if (exactSteps) {
      kept = scheduler.numInferenceSteps;
      setAtLeast(scheduler, kept, Math.ceil(kept / strength));
    }
    return scheduler.timesteps.slice(-kept);
  }

  /** Calls the model on a sample, doubled if the loop says so. */
  async #predict(x: Operand, timestep: number, step: number, total: number, loop: Loop): Promise<Tensor> {
    const { signal, condition } = loop;
    if (signal?.aborted) throw signal.reason ?? new Error("the run was aborted");
    const input = loop.doubled ? double(x) : x.tensor;
    const modelOutput = await this.model(input, timestep, { step, total, signal, condition });
    if (loop.checkFinite) checkFiniteValues(readOperand(modelOutput, "modelOutput"), "model output", step, timestep);
    return modelOutput;
  }
}

/** The sample twice, as one batch. */
function double(x: Operand): Tensor {
  const tensor = makeLike(x.tensor, x.data, x.dims, x.name, 2);
  const { values } = readOperand(tensor, x.name);
  values.set(x.values);
  values.set(x.values, x.values.length);
  return tensor;
}

/** Sets the scheduler to `wanted` steps, or to the nearest number from `least` on that it can take. */
function setAtLeast(scheduler: DDIMScheduler, least: number, wanted: number): void {
  const { numTrainTimesteps: most, timestepSpacing, stepsOffset } = scheduler.config;
  const fits = (steps: number): boolean =>
    timestepSpacing !== "leading" || (steps - 1) * Math.floor(most / steps) + stepsOffset < most;
  let steps = Math.min(wanted, most);
  while (steps < most && !fits(steps)) steps++;
  while (steps > least && !fits(steps)) steps--;
  scheduler.setTimesteps(steps);
}

function checkFiniteValues(x: Operand, what: string, step: number, timestep: number): void {
  const { values } = x;
  const finite = isHalf(x.data)
    ? (bits: number): boolean => (bits & 0x7c00) !== 0x7c00
    : (value: number): boolean => Number.isFinite(value);
  for (let i = 0; i < values.length; i++) {
    if (!finite(values[i]!)) {
      throw new Error(
        `the ${what} of step ${step}, at timestep ${timestep}, is not finite: element ${i} is ${describe(x, i)}`,
      );
    }
  }
}

function describe(x: Operand, index: number): string {
  return String(toFloats(x.values.subarray(index, index + 1))[0]);
}
