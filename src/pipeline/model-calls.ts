// The model calls of a run: the sample doubled for guidance, conditions, abort, values that are not finite.

import { outOfRange, wrongType } from "../checks/errors.js";
import { firstNotFinite, toFloats } from "../kernels/elementwise.js";
import { useInstance } from "../module/default.js";
import { predictionsIn } from "../schedulers/learned-variance.js";
import { checkGuidance } from "../schedulers/step-options.js";
import { makeLike, readOperand, type Tensor } from "../tensor/tensor.js";
import { copyInto, part } from "../tensor/typed-array.js";
import type { ReadLoopOptions } from "./options.js";
import type { Model, StopSignal } from "./types.js";

/** The model of a run, and what its calls have in common. */
export class ModelCalls {
  readonly #model: Model<Tensor>;
  readonly #total: number;
  readonly #signal: StopSignal | undefined;
  readonly #condition: readonly unknown[] | undefined;
  /** Whether the model gets the sample twice. */
  readonly #doubled: boolean;
  readonly #checkFinite: boolean;
  /** What each step is told of the model's output. */
  readonly stepOptions: Pick<ReadLoopOptions, "guidanceScale" | "guidanceRescale" | "learnedVariance">;

  /**
   * @param batch of the run
   * @param total number of steps
   */
  constructor(model: Model<Tensor>, options: ReadLoopOptions, batch: number, total: number) {
    const { guidanceScale, guidanceRescale, learnedVariance, condition, signal, checkFinite } = options;
    checkGuidance(options);
    this.#model = model;
    this.#total = total;
    this.#signal = signal;
    this.#checkFinite = checkFinite;
    this.stepOptions = { guidanceScale, guidanceRescale, learnedVariance };
    this.#doubled = guidanceScale !== undefined && condition !== undefined;
    this.#condition = readCondition(options, batch);
  }

  /** What the model predicts for a sample. */
  predict(sample: Tensor, timestep: number, step: number): Tensor | PromiseLike<Tensor> {
    const signal = this.#signal;
    if (signal?.aborted) throw signal.reason ?? new Error("the run was aborted");
    const input = this.#doubled ? double(sample) : sample;
    const context = { step, total: this.#total, signal, condition: this.#condition };
    const modelOutput = this.#model(input, timestep, context);
    return this.#checkFinite ? this.#checkOutput(modelOutput, timestep, step) : modelOutput;
  }

  async #checkOutput(modelOutput: Tensor | PromiseLike<Tensor>, timestep: number, step: number): Promise<Tensor> {
    const output = await modelOutput;
    this.checkFinite(output, "modelOutput", timestep, step);
    return output;
  }

  /** @throws Error where a value is not finite, if the run checks that */
  checkFinite(tensor: Tensor, name: "sample" | "modelOutput", timestep: number, step: number): void {
    if (!this.#checkFinite) return;
    const operand = readOperand(useInstance(), tensor, name);
    const isOutput = name === "modelOutput";
    // A wrong number of channels is for the step to tell.
    const hasVariances =
      isOutput && this.stepOptions.learnedVariance && operand.length % (2 * (operand.dims?.[0] ?? 0)) === 0;
    const checked = hasVariances ? predictionsIn(operand) : operand;
    const index = firstNotFinite(useInstance(), checked);
    if (index < 0) return;
    const [value] = toFloats(useInstance(), part(checked.values, index, 1));
    const what = isOutput ? "model output" : name;
    throw new Error(
      `the ${what} of step ${step}, at timestep ${timestep}, is not finite: element ${index} is ${value}`,
    );
  }
}

/** The condition of each batch element that the model gets. */
function readCondition(options: ReadLoopOptions, batch: number): readonly unknown[] | undefined {
  const { condition, unconditional, guidanceScale } = options;
  if (condition === undefined) {
    if (unconditional !== undefined) throw new TypeError('"unconditional" expected condition beside it, got none');
    return undefined;
  }
  if (!Array.isArray(condition)) throw wrongType("condition", "an array of one for each batch element", condition);
  const conditions: readonly unknown[] = [...condition];
  if (conditions.length !== batch) {
    throw outOfRange("condition", `${batch} conditions, one for each batch element`, conditions.length);
  }
  if (guidanceScale === undefined) return conditions;
  if (unconditional === undefined) {
    throw new TypeError(
      '"unconditional" expected the condition that stands for none, as guidanceScale and condition are given, got undefined',
    );
  }
  return [...conditions.map(() => unconditional), ...conditions];
}

/** The sample twice, as one batch. */
function double(sample: Tensor): Tensor {
  const x = readOperand(useInstance(), sample, "sample");
  const doubled = makeLike(useInstance(), x, 2);
  copyInto(doubled.values, x.values, 0);
  copyInto(doubled.values, x.values, x.length);
  return doubled.tensor as Tensor;
}
