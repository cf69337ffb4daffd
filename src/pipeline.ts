// The loop around step(): sampling, guidance, image-to-image, inpainting, inversion.

import { type DType, DTYPES } from "./config.js";
import { checkDims, sizeOf } from "./dims.js";
import {
  checkBoolean,
  checkInteger,
  checkName,
  checkNumber,
  checkOptions,
  outOfRange,
  show,
  wrongType,
} from "./errors.js";
import { Generator } from "./generator.js";
import { DDIMInverseScheduler } from "./inverse-scheduler.js";
import { checkGuidance, type GuidanceOptions } from "./noise-scheduler.js";
import { type Operand, readGenerators, readMatching, readOperand } from "./operands.js";
import { DDIMScheduler } from "./scheduler.js";
import { blendTensor, toFloats } from "./staging.js";
import { isHalf, makeLike, newData, type Tensor, type Values } from "./tensor.js";

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

const PIPELINE_OPTIONS = { scheduler: undefined, model: undefined };

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

const LOOP_OPTIONS = {
  numInferenceSteps: undefined,
  guidanceScale: undefined,
  guidanceRescale: undefined,
  condition: undefined,
  unconditional: undefined,
  signal: undefined,
  checkFinite: undefined,
} satisfies LoopOptions;

const STREAM_OPTIONS = {
  ...LOOP_OPTIONS,
  dims: undefined,
  type: undefined,
  generator: undefined,
  sample: undefined,
  strength: undefined,
  exactSteps: undefined,
  mask: undefined,
  known: undefined,
  knownNoise: undefined,
  eta: undefined,
  useClippedModelOutput: undefined,
} satisfies RunOptions;

const RUN_OPTIONS = { ...STREAM_OPTIONS, onStep: undefined };
const INVERT_OPTIONS = { ...LOOP_OPTIONS, sample: undefined, refine: undefined };
const REFINE_OPTIONS = { iterations: undefined, tolerance: undefined };

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
    checkOptions("options", options, PIPELINE_OPTIONS);
    const { scheduler, model } = options;
    if (!(scheduler instanceof DDIMScheduler)) throw wrongType("scheduler", "a DDIMScheduler", scheduler);
    if (typeof model !== "function") throw wrongType("model", "a function", model);
    this.scheduler = scheduler;
    this.model = model;
  }

  /**
   * Samples: from noise, or with `strength` from an image, or with `mask` and `known` around one.
   *
   * @param options see {@link RunOptions}; `onStep` is called, and waited for, after each step
   * @returns the sample after the last step
   * @throws (rejects) TypeError or RangeError for options that do not fit; the signal's reason; what the model throws;
   * Error for a value that is not finite under `checkFinite`
   * @example
   * const image = await pipeline.run({
   *   dims: [1, 4, 64, 64],
   *   generator: new Generator(42),
   *   numInferenceSteps: 20,
   *   onStep: ({ step, total }) => console.log(`${step + 1} of ${total}`),
   * });
   */
  async run(options: RunOptions<C> & { onStep?: ((report: StepReport) => unknown) | undefined }): Promise<any> {
    checkOptions("options", options, RUN_OPTIONS);
    const { onStep, ...rest } = options;
    if (onStep !== undefined && typeof onStep !== "function") throw wrongType("onStep", "a function", onStep);
    let sample: Tensor | undefined;
    for await (const report of this.#sample(rest, onStep !== undefined)) {
      await onStep?.(report as StepReport);
      sample = report.sample;
    }
    return sample;
  }

  /**
   * As `run`, step by step. Leaving the loop ends the run.
   *
   * @param options see {@link RunOptions}
   * @returns an async iterable of {@link StepReport}
   * @throws as `run`, when it is iterated
   * @example
   * for await (const { step, predOriginalSample } of pipeline.stream({ dims: [1, 4, 64, 64] })) {
   *   show(step, predOriginalSample);
   * }
   */
  stream(options: RunOptions<C>): AsyncGenerator<StepReport, void, void> {
    checkOptions("options", options, STREAM_OPTIONS);
    return this.#sample(options, true) as AsyncGenerator<StepReport, void, void>;
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
    checkOptions("options", options, INVERT_OPTIONS);
    const { scheduler } = this;
    const refinement = readRefinement(options.refine);
    const inverse = new DDIMInverseScheduler(scheduler.config);
    let x = readOperand(options.sample, "sample");
    if (refinement && isHalf(x.data)) throw wrongType("sample", "float32 data to refine", x.data);
    const loop = readLoop(options, x);
    const timesteps = this.#timesteps(options).slice().reverse();
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
    }
    inversion.sample = x.tensor as Tensor;
    return inversion;
  }

  async *#sample(
    options: RunOptions<C>,
    previews: boolean,
  ): AsyncGenerator<Omit<StepReport, "predOriginalSample"> & { predOriginalSample?: Tensor }, void, void> {
    const { scheduler } = this;
    const { eta = 0, useClippedModelOutput = false } = options;
    checkNumber("eta", eta, "a number in [0, 1]", (v) => v >= 0 && v <= 1);
    checkBoolean("useClippedModelOutput", useClippedModelOutput);
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
  #timesteps(options: RunOptions<C>): Int32Array {
    const { scheduler } = this;
    const { numInferenceSteps, strength, exactSteps = false } = options;
    checkBoolean("exactSteps", exactSteps);
    if (exactSteps && (strength === undefined || typeof numInferenceSteps !== "number")) {
      throw new TypeError('"exactSteps" expected strength and a number as numInferenceSteps beside it');
    }
    if (numInferenceSteps !== undefined) scheduler.setTimesteps(numInferenceSteps);
    if (scheduler.numInferenceSteps === null) {
      throw new Error("call scheduler.setTimesteps first, or give numInferenceSteps");
    }
    if (strength === undefined) return scheduler.timesteps;
    checkNumber("strength", strength, "a number in (0, 1]", (v) => v > 0 && v <= 1);
    let kept = Math.max(1, Math.floor(scheduler.numInferenceSteps * strength));
    if (exactSteps) {
      kept = scheduler.numInferenceSteps;
      setAtLeast(scheduler, kept, Math.ceil(kept / strength));
    }
    return scheduler.timesteps.slice(-kept);
  }

  /** Calls the model on a sample, doubled if the loop says so. */
  async #predict(x: Operand, timestep: number, step: number, total: number, loop: Loop<C>): Promise<Tensor> {
    const { signal, condition } = loop;
    if (signal?.aborted) throw signal.reason ?? new Error("the run was aborted");
    const input = loop.doubled ? double(x) : x.tensor;
    const modelOutput = await this.model(input, timestep, { step, total, signal, condition });
    if (loop.checkFinite) checkFiniteValues(readOperand(modelOutput, "modelOutput"), "model output", step, timestep);
    return modelOutput;
  }
}

/** What the options say about every model call. */
interface Loop<C> {
  guidanceScale: number | undefined;
  guidanceRescale: number;
  condition: readonly C[] | undefined;
  doubled: boolean;
  signal: StopSignal | undefined;
  checkFinite: boolean;
}

function readLoop<C>(options: LoopOptions<C>, sample: Operand): Loop<C> {
  const { guidanceScale, guidanceRescale = 0, condition, unconditional, signal, checkFinite = false } = options;
  checkGuidance(guidanceScale, guidanceRescale);
  checkBoolean("checkFinite", checkFinite);
  if (signal !== undefined && typeof signal?.aborted !== "boolean") throw wrongType("signal", "an AbortSignal", signal);
  const loop = { guidanceScale, guidanceRescale, condition, doubled: false, signal, checkFinite };
  if (condition === undefined) {
    if (unconditional !== undefined) throw new TypeError('"unconditional" expected condition beside it, got none');
    return loop;
  }
  const batch = sample.dims ? sample.dims[0]! : 1;
  if (!Array.isArray(condition)) throw wrongType("condition", "an array of one for each batch element", condition);
  if (condition.length !== batch) {
    throw outOfRange("condition", `${batch} conditions, one for each batch element`, condition);
  }
  if (guidanceScale === undefined) return loop;
  if (unconditional === undefined) {
    throw new TypeError(
      '"unconditional" expected the condition that stands for none, as guidanceScale and condition are given, got undefined',
    );
  }
  return { ...loop, condition: [...condition.map(() => unconditional), ...condition], doubled: true };
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
  const most = scheduler.config.numTrainTimesteps;
  const candidates = [];
  for (let steps = Math.min(wanted, most); steps <= most; steps++) candidates.push(steps);
  for (let steps = Math.min(wanted, most) - 1; steps >= least; steps--) candidates.push(steps);
  const { timestepSpacing, stepsOffset } = scheduler.config;
  const fits = (steps: number): boolean =>
    timestepSpacing !== "leading" || (steps - 1) * Math.floor(most / steps) + stepsOffset < most;
  scheduler.setTimesteps(candidates.find(fits) ?? least);
}

/** Where a run starts. */
interface Start {
  sample: Operand;
  /** The noise it starts from, if it was drawn. */
  noise: Values | null;
  generators: readonly Generator[];
}

function readStart(options: RunOptions, scheduler: DDIMScheduler, timestep: number): Start {
  const { dims, type, generator, strength, known } = options;
  const image = options.sample ?? (strength === undefined ? undefined : known);
  if ((image === undefined) === (dims === undefined)) {
    throw new TypeError(
      '"dims" and "sample" exclude each other: give the shape of the noise to start from, or a tensor',
    );
  }
  if (image === undefined) {
    if (strength !== undefined) throw new TypeError('"strength" expected a sample beside it, got none');
    const shape = checkDims(dims, "dims");
    const dtype = type === undefined ? "float32" : checkName("type", type, DTYPES);
    const generators = readGeneratorList(generator, shape[0]!);
    const data = drawNoise(generators, dtype, shape);
    return { sample: readOperand({ data, dims: shape, type: dtype }, "sample"), noise: data, generators };
  }
  if (type !== undefined) throw new TypeError('"type" expected dims beside it, got a sample, which has a type');
  const sample = readOperand(image, options.sample === undefined ? "known" : "sample");
  const generators = readGeneratorList(generator, sample.dims ? sample.dims[0]! : 1);
  if (strength === undefined) return { sample, noise: null, generators };
  const noise = drawNoiseLike(generators, sample);
  const noised = scheduler.addNoise(sample.tensor as Tensor, noise, timestep);
  return { sample: readOperand(noised, "sample"), noise, generators };
}

/** The generators of a run: one, or one for each batch element; one seeded from crypto where none is given. */
function readGeneratorList(generator: unknown, batch: number): readonly Generator[] {
  if (generator === undefined) {
    const own = new Generator();
    own.seed();
    return [own];
  }
  readGenerators(generator, batch);
  return Array.isArray(generator) ? generator : [generator as Generator];
}

function drawNoiseLike(generators: readonly Generator[], x: Operand): Values {
  return drawNoise(generators, isHalf(x.data) ? "float16" : "float32", x.dims ?? [x.data.length]);
}

/** Noise of a shape: from one generator as a whole, from several an element each. */
function drawNoise(generators: readonly Generator[], type: DType, dims: readonly number[]): Values {
  if (generators.length === 1) return generators[0]!.randn(dims, { type }).data;
  const data = newData(type, sizeOf(dims));
  const element = [1, ...dims.slice(1)];
  const length = sizeOf(element);
  generators.forEach((generator, i) => {
    generator.randn(element, { type, out: data.subarray(i * length, (i + 1) * length) });
  });
  return data;
}

/** What keeps the known part of a sample, after a step to the level of a timestep; negative: clean. */
type Inpaint = (x: Operand, timestep: number) => void;

function readInpainting(options: RunOptions, start: Start, scheduler: DDIMScheduler): Inpaint | null {
  const { mask, known, knownNoise = "same" } = options;
  checkName("knownNoise", knownNoise, ["same", "fresh"]);
  if ((mask === undefined) !== (known === undefined)) {
    throw new TypeError('"mask" and "known" belong together: give both, or neither');
  }
  if (mask === undefined) return null;
  const { generators } = start;
  const image = readMatching(known, "known", start.sample);
  const weight = readMask(mask, start.sample);
  let noise = start.noise ?? drawNoiseLike(generators, start.sample);
  return (x, timestep) => {
    let kept = image.values;
    if (timestep >= 0) {
      if (knownNoise === "fresh") noise = drawNoiseLike(generators, x);
      kept = scheduler.addNoise(image.values, noise, timestep);
    }
    blendTensor(x.values, x.values, kept, weight);
  };
}

/** The weight of each element of the sample: the mask, broadcast as numpy does. */
function readMask(mask: unknown, sample: Operand): Float32Array {
  const operand = readOperand(mask, "mask");
  const weights = toFloats(operand.values);
  const wrong = weights.findIndex((weight) => !(weight >= 0 && weight <= 1));
  if (wrong >= 0) throw outOfRange(`mask[${wrong}]`, "a number in [0, 1]", weights[wrong]);
  const { length } = sample.data;
  if (operand.dims === null || sample.dims === null) {
    if (weights.length !== length)
      throw outOfRange("mask", `${length} elements, as many as the sample`, weights.length);
    return weights;
  }
  return broadcast(weights, operand.dims, sample.dims);
}

function broadcast(values: Float32Array, from: readonly number[], to: readonly number[]): Float32Array {
  const missing = to.length - from.length;
  const fits = missing >= 0 && from.every((size, i) => size === 1 || size === to[missing + i]);
  if (!fits) throw outOfRange("mask.dims", `dims that broadcast to ${show(to)}`, from);
  return Float32Array.from({ length: sizeOf(to) }, (_, index) => {
    let rest = index;
    let source = 0;
    let stride = 1;
    for (let axis = to.length - 1; axis >= missing; axis--) {
      const size = from[axis - missing]!;
      if (size > 1) source += (rest % to[axis]!) * stride;
      stride *= size;
      rest = Math.floor(rest / to[axis]!);
    }
    return values[source]!;
  });
}

interface Refinement {
  iterations: number;
  tolerance: number;
}

function readRefinement(refine: InvertOptions["refine"] = false): Refinement | null {
  if (typeof refine === "boolean") return refine ? { iterations: 50, tolerance: 1e-6 } : null;
  checkOptions("refine", refine, REFINE_OPTIONS);
  const { iterations = 50, tolerance = 1e-6 } = refine;
  checkInteger("iterations", iterations, 1);
  checkNumber("tolerance", tolerance, "a number > 0", (v) => v > 0);
  return { iterations, tolerance };
}

/**
 * Corrects `next`, in place, until a step from it leads to `sample`: where the step is linear in the sample with a
 * factor, the residual over that factor is what `next` is off.
 *
 * @param gain 1 over the factor
 * @param undo the step from `next`
 * @returns the residual it was left with
 */
async function refineStep(
  next: Float32Array,
  sample: Float32Array,
  gain: number,
  { iterations, tolerance }: Refinement,
  undo: () => Promise<Float32Array>,
): Promise<number> {
  const largest = sample.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  for (let iteration = 1; ; iteration++) {
    const undone = await undo();
    const residual = undone.reduce((most, value, i) => Math.max(most, Math.abs(value - sample[i]!)), 0) / largest;
    // Also after the last look: it costs no model call, and what is left over is smaller still.
    undone.forEach((value, i) => (next[i]! -= (value - sample[i]!) * gain));
    if (residual <= tolerance || iteration === iterations) return residual;
  }
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
