// The loop around step(): sampling, guidance, image-to-image, inpainting, inversion.

import { callback } from "../checks/checks.js";
import { wrongType } from "../checks/errors.js";
import { DDIMScheduler } from "../schedulers/ddim.js";
import { Scheduler } from "../schedulers/scheduler.js";
import type { Float32Data, HalfData } from "../tensor/dtype.js";
import type { PlainTensor, ResultOf, Tensor } from "../tensor/tensor.js";
import { invertSample } from "./inversion.js";
import { INVERT_OPTIONS, PIPELINE_OPTIONS, RUN_OPTIONS, STREAM_OPTIONS } from "./options.js";
import { Run } from "./run.js";
import type {
  AnyFromDims,
  AnyRunFromDims,
  DenoisingScheduler,
  DiffusionPipelineOptions,
  IfTaken,
  Inversion,
  InvertOptions,
  Model,
  OnStep,
  RunFromDims,
  RunFromKnown,
  RunFromSample,
  StepReport,
} from "./types.js";

/**
 * A scheduler and a model, run as a loop.
 *
 * @typeParam X the tensors that the model takes: those that runs start from, or `{ data, dims, type }` from `dims`
 * @typeParam C the model's conditions
 * @example
 * import { DDIMScheduler, DiffusionPipeline, Generator } from "ddim-wasm";
 *
 * const pipeline = new DiffusionPipeline({ scheduler: new DDIMScheduler(), model: (sample, t) => unet(sample, t) });
 * const image = await pipeline.run({ dims: [1, 1, 32, 32], generator: new Generator(0), numInferenceSteps: 20 });
 */
export class DiffusionPipeline<X extends Tensor = PlainTensor<Float32Data>, C = unknown> {
  /** The scheduler that it was made with. */
  readonly scheduler: DenoisingScheduler;
  /** The model that it was made with. */
  readonly model: Model<X, C>;
  readonly #scheduler: Scheduler;

  /**
   * @param options `scheduler` and `model`
   * @throws TypeError for anything else
   */
  constructor(options: DiffusionPipelineOptions<X, C>) {
    const { scheduler, model } = PIPELINE_OPTIONS.read("options", options);
    if (!Scheduler.isScheduler(scheduler) || scheduler.definition.direction !== "denoise") {
      throw wrongType("scheduler", "a scheduler of ddim-wasm that denoises, such as a DDIMScheduler", scheduler);
    }
    this.#scheduler = scheduler as unknown as Scheduler;
    this.scheduler = scheduler as unknown as DenoisingScheduler;
    this.model = callback("model", model) as Model<X, C>;
  }

  /**
   * Samples: from noise, or with `strength` from an image, or with `mask` and `known` around one.
   *
   * @param options see {@link RunFromDims}, {@link RunFromSample} and {@link RunFromKnown}; `onStep` is called, and
   * waited for, after each step
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
  run(
    options: IfTaken<PlainTensor<Float32Data>, X, RunFromDims<"float32", C> & OnStep<PlainTensor<Float32Data>>>,
  ): Promise<PlainTensor<Float32Data>>;
  run(
    options: IfTaken<
      PlainTensor<HalfData>,
      X,
      RunFromDims<"float16", C> & OnStep<PlainTensor<HalfData>> & { type: "float16" }
    >,
  ): Promise<PlainTensor<HalfData>>;
  run<S extends X>(options: RunFromSample<S, C> & OnStep<ResultOf<S>>): Promise<ResultOf<S>>;
  run<S extends X>(options: RunFromKnown<S, C> & OnStep<ResultOf<S>>): Promise<ResultOf<S>>;
  run<S extends X>(
    options: (AnyRunFromDims<X, C> | RunFromSample<S, C> | RunFromKnown<S, C>) & OnStep<AnyFromDims<X> | ResultOf<S>>,
  ): Promise<AnyFromDims<X> | ResultOf<S>>;
  async run(options: unknown): Promise<unknown> {
    const read = RUN_OPTIONS.read("options", options);
    const onStep = read.onStep as ((report: StepReport) => unknown) | undefined;
    const run = new Run(this.#scheduler, this.model as unknown as Model<Tensor>, read, onStep !== undefined);
    while (!run.isDone) {
      const report = await run.next();
      if (onStep) await onStep(report);
    }
    return run.sample;
  }

  /**
   * As `run`, step by step. Leaving the loop ends the run.
   *
   * @param options as those of `run`
   * @returns an async iterable of {@link StepReport}
   * @throws as `run`: for an option of the wrong kind at once, for all else when it is iterated
   * @example
   * for await (const { step, predOriginalSample } of pipeline.stream({ dims: [1, 4, 64, 64] })) {
   *   show(step, predOriginalSample);
   * }
   */
  stream(
    options: IfTaken<PlainTensor<Float32Data>, X, RunFromDims<"float32", C>>,
  ): AsyncGenerator<StepReport<PlainTensor<Float32Data>>, void, void>;
  stream(
    options: IfTaken<PlainTensor<HalfData>, X, RunFromDims<"float16", C> & { type: "float16" }>,
  ): AsyncGenerator<StepReport<PlainTensor<HalfData>>, void, void>;
  stream<S extends X>(options: RunFromSample<S, C>): AsyncGenerator<StepReport<ResultOf<S>>, void, void>;
  stream<S extends X>(options: RunFromKnown<S, C>): AsyncGenerator<StepReport<ResultOf<S>>, void, void>;
  stream<S extends X>(
    options: AnyRunFromDims<X, C> | RunFromSample<S, C> | RunFromKnown<S, C>,
  ): AsyncGenerator<StepReport<AnyFromDims<X> | ResultOf<S>>, void, void>;
  stream(options: unknown): AsyncGenerator<StepReport, void, void> {
    const read = STREAM_OPTIONS.read("options", options);
    const scheduler = this.#scheduler;
    const model = this.model as unknown as Model<Tensor>;
    return (async function* (): AsyncGenerator<StepReport, void, void> {
      const run = new Run(scheduler, model, read, true);
      while (!run.isDone) yield run.next();
    })();
  }

  /**
   * Inverts a sampling run (DDIM inversion, arXiv 2010.02502, section 4.3): finds the noise that `sample` comes from.
   *
   * A plain inversion takes the model's output at the wrong end of each step, and so gives the image back only nearly.
   * With `refine` every step is corrected until the scheduler's own step undoes it.
   *
   * @param options see {@link InvertOptions}
   * @returns the noise, and whether every step converged
   * @throws (rejects) as `run`; TypeError for a scheduler that is no DDIMScheduler
   * @example
   * const { sample: noise, converged } = await pipeline.invert({ sample: image, numInferenceSteps: 50, refine: true });
   * const again = await pipeline.run({ sample: noise, numInferenceSteps: 50 });
   */
  async invert<S extends X>(options: InvertOptions<S, C>): Promise<Inversion<ResultOf<S>>> {
    const read = INVERT_OPTIONS.read("options", options);
    const scheduler = this.#scheduler;
    if (!(scheduler instanceof DDIMScheduler)) throw wrongType("scheduler", "a DDIMScheduler to invert", scheduler);
    const inversion = await invertSample(scheduler, this.model as unknown as Model<Tensor>, read);
    return inversion as Inversion<ResultOf<S>>;
  }
}
