// DPM-Solver++ (arXiv 2211.01095): the multistep solver, of order 1 or 2.

import { boolean, isArrayLike, isRecord, natural, refuse } from "../checks/checks.js";
import { outOfRange, wrongType } from "../checks/errors.js";
import type { Entries } from "../checks/options.js";
import type { Instance } from "../module/instance.js";
import type { Mixture } from "../schedule/coefficients.js";
import { lambdaBetween } from "../schedule/log-snr.js";
import { BETA_SCHEDULES, COMMON_OPTIONS, type CommonOptions, TIMESTEP_SPACINGS } from "../schedule/options.js";
import { checkSteps, makeTimesteps } from "../schedule/timesteps.js";
import type { Operand } from "../tensor/tensor.js";
import { mixDDIM } from "./ddim.js";
import { endAll, readMatching, type ReadTimesteps, readTimesteps, timestepOf } from "./operands.js";
import type { ReadHistory } from "./sampler.js";
import { Scheduler } from "./scheduler.js";
import {
  type Definition,
  type ReadStep,
  SHARED_STEP_OPTIONS,
  type SharedStepOptions,
  type StepHistory,
} from "./step-options.js";

/**
 * Options of {@link DPMSolverMultistepScheduler}; `betaSchedule` is "linear" by default and `timestepSpacing` "linspace".
 */
export interface DPMSolverMultistepSchedulerOptions extends CommonOptions {
  /** The order of steps that have a history: 1 is DDIM. Default 2. */
  solverOrder?: 1 | 2 | undefined;
  /** Default "dpmsolver++", which is the only one. */
  algorithmType?: "dpmsolver++" | undefined;
  /** How a step of order 2 takes the slope of x_0. Default "midpoint". */
  solverType?: "midpoint" | "heun" | undefined;
  /** The last step of fewer than 15 is of order 1. Default true. */
  lowerOrderFinal?: boolean | undefined;
  /** The last step is of order 1, however many there are. Default false. */
  eulerAtFinal?: boolean | undefined;
  /** Where the last step ends: "zero", without noise and of order 1, or "sigma_min", at alphasCumprod[0]. Default "zero". */
  finalSigmasType?: "zero" | "sigma_min" | undefined;
}

/** Options of {@link DPMSolverMultistepScheduler.step}. */
export interface DPMSolverMultistepStepOptions extends SharedStepOptions {
  /** Of the step before. Without it a step is of order 1. */
  history?: StepHistory | undefined;
}

const OPTIONS = /* @__PURE__ */ COMMON_OPTIONS.extend({
  betaSchedule: ["linear", BETA_SCHEDULES],
  timestepSpacing: ["linspace", TIMESTEP_SPACINGS],
  solverOrder: [
    2,
    (name: string, value: unknown): 1 | 2 =>
      value === 1 || value === 2 ? value : refuse(name, value, "number", "1 or 2"),
  ],
  algorithmType: ["dpmsolver++", ["dpmsolver++"]],
  solverType: ["midpoint", ["midpoint", "heun"]],
  lowerOrderFinal: [true, boolean],
  eulerAtFinal: [false, boolean],
  finalSigmasType: ["zero", ["zero", "sigma_min"]],
} satisfies Entries<
  Omit<DPMSolverMultistepSchedulerOptions, Exclude<keyof CommonOptions, "betaSchedule" | "timestepSpacing">>
>);

const STEP_OPTIONS = /* @__PURE__ */ SHARED_STEP_OPTIONS.extend({
  history: [undefined],
} satisfies Entries<Pick<DPMSolverMultistepStepOptions, "history">>);

/** From how many steps on `lowerOrderFinal` has no effect. */
const MANY_STEPS = 15;

/**
 * DPM-Solver++(2M) (arXiv 2211.01095, algorithm 2), with the options of diffusers' `DPMSolverMultistepScheduler`: any
 * model that DDIM takes, with 8 to 20 calls.
 *
 * With `lambda = log(sqrt(a) / sqrt(1 - a))` and `h = lambda_p - lambda_t` a step leads to
 * `sqrt(1 - a_p) / sqrt(1 - a_t) x - sqrt(a_p) (exp(-h) - 1) D`. Of order 1, `D` is x_0: with eps of the thresholded
 * x_0, that is DDIM. Of order 2 it is `x_0 + h / (2 h_before) (x_0 - x_0_before)`, for which the step takes the `history`
 * of the one before; `step` itself keeps none. `predOriginalSample` is x_0. Steps draw no noise.
 *
 * Under `rescaleBetasZeroSnr` the last alpha product is 2^-24, as in diffusers.
 *
 * @example
 * import { DPMSolverMultistepScheduler, Generator, type StepHistory } from "ddim-wasm";
 *
 * const scheduler = new DPMSolverMultistepScheduler({ betaSchedule: "squaredcos_cap_v2" });
 * scheduler.setTimesteps(10);
 * let sample = new Generator(42).randn([1, 4, 64, 64]);
 * let history: StepHistory | undefined;
 * for (const timestep of scheduler.timesteps) {
 *   const modelOutput = await unet(sample, timestep);
 *   const { prevSample, predOriginalSample } = scheduler.step(modelOutput, sample, timestep, { history, returnDict: true });
 *   history = { predOriginalSample, timestep };
 *   sample = prevSample;
 * }
 */
export class DPMSolverMultistepScheduler extends Scheduler<
  DPMSolverMultistepSchedulerOptions,
  DPMSolverMultistepStepOptions
> {
  /** @internal */
  static get definition(): Definition<DPMSolverMultistepSchedulerOptions> {
    return DPM_SOLVER;
  }

  /**
   * @param options the sampler's options, all of which may be left out
   * @throws as {@link Scheduler}'s
   */
  constructor(options?: DPMSolverMultistepSchedulerOptions) {
    super(options);
    const { numTrainTimesteps, rescaleBetasZeroSnr } = this.settings;
    if (rescaleBetasZeroSnr) this.alphasCumprod[numTrainTimesteps - 1] = 2 ** -24;
  }

  /** The alpha product after the last step: 1, or alphasCumprod[0] where `finalSigmasType` is "sigma_min". */
  get finalAlphaCumprod(): number {
    return this.outerAlphaCumprod;
  }

  /** @internal */
  override get outerAlphaCumprod(): number {
    return this.config.finalSigmasType === "zero" ? 1 : this.alphasCumprod[0]!;
  }

  /**
   * Sets how many steps a run takes, or which. "linspace" and "leading" spread one step more, and leave out the last.
   *
   * @param steps N, an integer in [1, T], or [1, T - 1] under "linspace" and "leading", which would visit a timestep
   * twice; or a list of timesteps, strictly descending within [0, T - 1]
   * @throws TypeError or RangeError for anything else; the scheduler stays as it was
   * @example
   * import { DPMSolverMultistepScheduler } from "ddim-wasm";
   * const scheduler = new DPMSolverMultistepScheduler();
   * scheduler.setTimesteps(10); // 999, 899, 799, 699, 599, 500, 400, 300, 200, 100
   */
  override setTimesteps(steps: number | ArrayLike<number> | ArrayLike<bigint>): void {
    super.setTimesteps(isArrayLike(steps) ? steps : this.#spread(steps));
  }

  #spread(steps: unknown): Int32Array {
    const { settings } = this;
    if (settings.timestepSpacing === "trailing") return makeTimesteps(steps, settings);
    const count = checkSteps(steps, settings.numTrainTimesteps - 1, "numTrainTimesteps - 1");
    return makeTimesteps(count + 1, settings).subarray(0, count);
  }

  /** @internal */
  override mix(
    into: Mixture,
    from: number,
    to: number,
    _step: ReadStep,
    history: ReadHistory | null,
    element: number,
  ): void {
    const alpha = this.alphaAt(from);
    const target = this.alphaAt(to);
    mixDDIM(into, target, 0);
    if (!history || this.#isFirstOrder(to, history.total)) return;
    const h = lambdaBetween(alpha, target);
    const signal = Math.sqrt(target);
    // -sqrt(a_p) (exp(-h) - 1)
    const growth = signal - Math.sqrt(((1 - target) / (1 - alpha)) * alpha);
    const slope = this.config.solverType === "midpoint" ? growth / 2 : signal - growth / h;
    const share = (slope * h) / lambdaBetween(this.alphaAt(timestepOf(history.timesteps, element)), alpha);
    // Where there is no signal at all lambda is infinite, and the history tells no slope.
    if (!Number.isFinite(share)) return;
    into.original += share;
    into.noise = -share;
  }

  /** Whether a step to this timestep, in a run of `total` steps, is of order 1 in any case. */
  #isFirstOrder(to: number, total: number): boolean {
    const { solverOrder, lowerOrderFinal, eulerAtFinal, finalSigmasType } = this.config;
    if (solverOrder === 1) return true;
    const isLowered = lowerOrderFinal && total < MANY_STEPS;
    return to < 0 && (eulerAtFinal || finalSigmasType === "zero" || isLowered);
  }

  /** @internal */
  override takesNoise(_step: ReadStep, to: ReadTimesteps, history: ReadHistory | null): boolean {
    return history !== null && !this.#isFirstOrder(endAll(to) ? -1 : 0, history.total);
  }

  /** @internal */
  override readHistory(
    core: Instance,
    { history }: ReadStep,
    sample: Operand,
    batch: number,
    from: ReadTimesteps,
  ): ReadHistory | null {
    if (history === undefined) return null;
    if (!isRecord(history)) throw wrongType("history", "an object { predOriginalSample, timestep }", history);
    const { predOriginalSample, timestep, numInferenceSteps = this.numInferenceSteps ?? 0 } = history;
    const last = this.settings.numTrainTimesteps - 1;
    const original = readMatching(core, predOriginalSample, "history.predOriginalSample", sample);
    const timesteps = readTimesteps("history.timestep", timestep, batch, 0, last);
    const shared = typeof timesteps === "number" && typeof from === "number";
    for (let i = 0; i < (shared ? 1 : batch); i++) {
      const t = timestepOf(timesteps, i);
      const least = timestepOf(from, i) + 1;
      if (t < least) throw outOfRange("history.timestep", `the timestep of an earlier step, from ${least} on`, t);
    }
    return { original, timesteps, total: natural("history.numInferenceSteps", numInferenceSteps) };
  }
}

/** Reads what a file says of solvers. @throws RangeError for a key whose value would change the picture */
function readForeign(key: string, value: unknown): unknown {
  switch (key) {
    // What diffusers takes for the values of its other multistep solvers.
    case "solver_type":
      return value === "logrho" || value === "bh1" || value === "bh2" ? "midpoint" : value;
    case "algorithm_type":
      return value === "deis" ? "dpmsolver++" : value;
    case "lambda_min_clipped":
      if (value === null || value === -Infinity) return undefined;
      break;
    case "variance_type":
      if (value !== "learned" && value !== "learned_range") return undefined;
      throw outOfRange(`config.${key}`, "none: leave it out, and give steps learnedVariance: true", value);
    default:
      if (!/^use_\w+_(sigmas|lambdas)$/.test(key)) return value;
      if (!value) return undefined;
  }
  throw outOfRange(`config.${key}`, "nothing: a DPMSolverMultistepScheduler of ddim-wasm cannot honour it", value);
}

const DPM_SOLVER: Definition<DPMSolverMultistepSchedulerOptions> = {
  className: "DPMSolverMultistepScheduler",
  options: OPTIONS,
  missing: {},
  ignored: {},
  translate: readForeign,
  stepOptions: STEP_OPTIONS,
  direction: "denoise",
  rederives: true,
};
