// A scheduler without its steps: configuration, tables, timesteps, and the levels of noise at them.

import { type Callback, callback, isArrayLike } from "../checks/checks.js";
import { outOfRange } from "../checks/errors.js";
import { type Entries, OptionTable } from "../checks/options.js";
import { useInstance } from "../module/default.js";
import { exportConfig, type FileFormat, importConfig, replaceIgnored } from "../schedule/config-file.js";
import { type ConfigOf, resolveConfig, type SchedulerOptions } from "../schedule/options.js";
import { makeTables } from "../schedule/tables.js";
import { checkTimestepList, followerOf, makeTimesteps } from "../schedule/timesteps.js";
import type { Timesteps } from "./operands.js";
import type { Definition } from "./step-options.js";

/** A scheduler's class. */
export interface SchedulerClass<T, O> {
  new (options?: O): T;
  /** @internal */
  readonly definition: FileFormat<O>;
}

/** Where warnings about a configuration go. */
export interface ConfigReporting {
  /** Is called with each warning. Default: console.warn. */
  onWarning?: ((message: string) => void) | undefined;
}

const REPORTING = /* @__PURE__ */ new OptionTable({
  onWarning: [undefined, callback],
} satisfies Entries<ConfigReporting>);

/** Who is told of warnings. */
export function readReporting(reporting: unknown): (message: string) => void {
  const { onWarning = warn as Callback } = REPORTING.read("reporting", reporting);
  return onWarning as (message: string) => void;
}

/**
 * What every scheduler is made of.
 *
 * @typeParam O its options
 */
export abstract class NoiseLevels<O extends SchedulerOptions> {
  /** @internal */
  readonly definition: Definition<O>;
  /** The complete configuration, defaults included. */
  readonly config: ConfigOf<O>;
  /** The variance added by each training step: T values in (0, 1); the last may be 1. */
  readonly betas: InstanceType<typeof Float64Array>;
  /** 1 - betas. */
  readonly alphas: InstanceType<typeof Float64Array>;
  /** Products of the alphas up to each timestep: the share of the signal's variance that is left. */
  readonly alphasCumprod: InstanceType<typeof Float64Array>;
  /** The deviation of the noise a run starts from. */
  readonly initNoiseSigma = 1 as const;
  /** Model calls a step takes. */
  readonly order = 1 as const;

  /** @internal The options that all schedulers have. */
  readonly settings: ConfigOf<SchedulerOptions>;
  /** What setTimesteps has set; `followsList`: whether a step leads to the next of the timesteps, which descend. */
  #run: { readonly timesteps: Int32Array; readonly followsList: boolean } | null = null;

  /**
   * @param options the sampler's options, all of which may be left out
   * @throws TypeError for an unknown option or a value of the wrong kind, RangeError for a value out of bounds or a
   * schedule with a beta outside (0, 1)
   */
  constructor(options?: O) {
    const definition = (new.target as unknown as { definition: Definition<O> }).definition;
    const config = resolveConfig(options, definition.options);
    const meant = { ...config };
    for (const message of replaceIgnored(meant as Record<string, unknown>, definition)) warn(message);
    this.definition = definition;
    this.config = Object.freeze(meant);
    this.settings = this.config as unknown as ConfigOf<SchedulerOptions>;
    const { betas, alphas, alphasCumprod } = makeTables(useInstance(), this.settings);
    this.betas = betas;
    this.alphas = alphas;
    this.alphasCumprod = alphasCumprod;
    // console.log(scheduler) shows the configuration, and not thousands of numbers.
    for (const name of ["definition", "settings", "betas", "alphas", "alphasCumprod"]) {
      Object.defineProperty(this, name, { enumerable: false });
    }
  }

  /**
   * A scheduler from a diffusers scheduler_config.json; keys of other schedulers are ignored.
   *
   * diffusers' defaults hold for what the file leaves out: without `beta_schedule` it is "linear".
   *
   * @param config the file's text, or its parsed object
   * @param overrides options that replace those of the file
   * @param reporting `onWarning` gets a message for keys that were ignored, and one for each setting that is seldom meant
   * @throws as the constructor; TypeError for text that is no JSON object
   * @example
   * import { DDIMScheduler } from "ddim-wasm";
   * const scheduler = DDIMScheduler.fromConfig('{ "beta_schedule": "scaled_linear", "clip_sample": false }');
   */
  static fromConfig<T, O extends SchedulerOptions>(
    this: SchedulerClass<T, O>,
    config: string | object,
    overrides?: O,
    reporting?: ConfigReporting,
  ): T {
    const onWarning = readReporting(reporting);
    const { options, warnings } = importConfig(config, overrides, this.definition);
    const scheduler = new this(options);
    for (const message of warnings) onWarning(message);
    return scheduler;
  }

  /**
   * The configuration as diffusers writes it: snake_case, with `_class_name`.
   *
   * @example
   * JSON.stringify(scheduler.toConfig()); // a scheduler_config.json
   */
  toConfig(): Record<string, unknown> {
    return exportConfig(this.config, this.definition.className);
  }

  /** The number of inference steps; null before setTimesteps. */
  get numInferenceSteps(): number | null {
    return this.#run && this.#run.timesteps.length;
  }

  /** The timesteps of a run, in the order of its steps; all T of them before setTimesteps. A new copy at each read. */
  get timesteps(): InstanceType<typeof Int32Array> {
    const all = (): Int32Array =>
      makeTimesteps(this.settings.numTrainTimesteps, { ...this.settings, timestepSpacing: "linspace" });
    const timesteps = new Int32Array(this.#run?.timesteps ?? all());
    return this.definition.direction === "invert" ? timesteps.reverse() : timesteps;
  }

  /** @internal The alpha product beyond the first training step: 1, or alphasCumprod[0] where `setAlphaToOne` is false. */
  get outerAlphaCumprod(): number {
    return this.settings.setAlphaToOne ? 1 : this.alphasCumprod[0]!;
  }

  /**
   * Sets how many steps a run takes, or which.
   *
   * @param steps N, an integer in [1, T]; or a list of timesteps, strictly descending within [0, T - 1]
   * @throws TypeError or RangeError for anything else; the scheduler stays as it was
   * @example
   * scheduler.setTimesteps(20);
   * scheduler.setTimesteps([999, 700, 400, 100]); // your own list
   */
  setTimesteps(steps: number | ArrayLike<number> | ArrayLike<bigint>): void {
    const { numTrainTimesteps, previousTimestep } = this.settings;
    const own = isArrayLike(steps);
    const timesteps = own ? checkTimestepList(steps, numTrainTimesteps) : makeTimesteps(steps, this.settings);
    this.#run = { timesteps, followsList: own || previousTimestep === "schedule" };
  }

  /**
   * The identity: the samplers here scale no model input. For loops that serve other schedulers too.
   *
   * @example
   * const modelOutput = await model(scheduler.scaleModelInput(sample, t), t);
   */
  scaleModelInput<T>(sample: T, _timestep?: Timesteps): T {
    return sample;
  }

  /** @internal The timestep on the other side of the step that starts, or in an inversion ends, at `t`. */
  otherSideOf(t: number, timesteps?: Int32Array): number {
    const run = this.#run;
    if (!run) throw new Error("call setTimesteps first: how far a step goes depends on how many there are");
    if (!run.followsList) return t - Math.floor(this.settings.numTrainTimesteps / run.timesteps.length);
    const follower = followerOf(timesteps ?? run.timesteps, t);
    if (follower !== undefined) return follower;
    throw outOfRange("timestep", "one of scheduler.timesteps, or prevTimestep beside it", t);
  }

  /** @internal The timesteps of a run over that share of the way, of samplers that spread all their steps over it. */
  spreadOver?(strength: number): Int32Array | undefined;

  /** @internal The alpha product at a timestep; the outer one below 0. */
  alphaAt(timestep: number): number {
    return timestep < 0 ? this.outerAlphaCumprod : this.alphasCumprod[timestep]!;
  }
}

function warn(message: string): void {
  if (typeof console !== "undefined") console.warn(`ddim-wasm: ${message}`);
}
