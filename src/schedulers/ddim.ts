// DDIM (arXiv 2010.02502).

import { boolean, share } from "../checks/checks.js";
import type { Entries } from "../checks/options.js";
import { type Mixture, root } from "../schedule/coefficients.js";
import { type ConfigOf, SHARED_OPTIONS, type SchedulerOptions } from "../schedule/options.js";
import { Scheduler } from "./scheduler.js";
import {
  type Definition,
  NOISE_STEP_OPTIONS,
  type NoiseOptions,
  type ReadStep,
  type SharedStepOptions,
} from "./step-options.js";

/** Options of {@link DDIMScheduler}. */
export interface DDIMSchedulerOptions extends SchedulerOptions {}

/** A complete configuration of a {@link DDIMScheduler}. */
export type DDIMSchedulerConfig = ConfigOf<DDIMSchedulerOptions>;

/** Options of {@link DDIMScheduler.step}. */
export interface StepOptions extends SharedStepOptions, NoiseOptions {
  /** How much of DDPM's noise is added, in [0, 1]: 0 is DDIM, 1 is DDPM. Default 0. */
  eta?: number | undefined;
  /** Derive eps again from the clipped or thresholded prediction. Default false. */
  useClippedModelOutput?: boolean | undefined;
}

const STEP_OPTIONS = /* @__PURE__ */ NOISE_STEP_OPTIONS.extend({
  eta: [0, share],
  useClippedModelOutput: [false, boolean],
} satisfies Entries<Omit<StepOptions, keyof SharedStepOptions | keyof NoiseOptions>>);

/** Sets DDIM's mixture (formula 12): sqrt(alphaTarget) x0 + sqrt(1 - alphaTarget - sigma^2) eps + sigma noise. */
export function mixDDIM(into: Mixture, alphaTarget: number, sigma: number): void {
  into.set(Math.sqrt(alphaTarget), 0, root(1 - alphaTarget - sigma * sigma), sigma);
}

/**
 * The DDIM sampler (arXiv 2010.02502), with the options of diffusers' and MindFlow's `DDIMScheduler`.
 *
 * @example
 * import { DDIMScheduler, Generator } from "ddim-wasm";
 *
 * const scheduler = new DDIMScheduler({ betaSchedule: "squaredcos_cap_v2" });
 * scheduler.setTimesteps(20);
 * let sample = new Generator(42).randn([1, 4, 64, 64]);
 * for (const t of scheduler.timesteps) {
 *   const modelOutput = await model(sample, t);
 *   sample = scheduler.step(modelOutput, sample, t);
 * }
 */
export class DDIMScheduler extends Scheduler<DDIMSchedulerOptions, StepOptions> {
  /** @internal */
  static get definition(): Definition<DDIMSchedulerOptions> {
    return DDIM;
  }

  /** The alpha product after the last step: 1, or alphasCumprod[0] where `setAlphaToOne` is false. */
  get finalAlphaCumprod(): number {
    return this.outerAlphaCumprod;
  }

  /** @internal */
  override mix(into: Mixture, from: number, to: number, { eta = 0 }: ReadStep): void {
    const alpha = this.alphaAt(from);
    const alphaTarget = this.alphaAt(to);
    // Formula 16: eta = 0 is DDIM, eta = 1 is DDPM.
    const sigma = eta * root(((1 - alphaTarget) / (1 - alpha)) * (1 - alpha / alphaTarget));
    mixDDIM(into, alphaTarget, sigma);
  }

  /** @internal */
  override takesNoise({ eta = 0 }: ReadStep): boolean {
    return eta > 0;
  }
}

const DDIM: Definition<DDIMSchedulerOptions> = {
  className: "DDIMScheduler",
  options: SHARED_OPTIONS,
  missing: { betaSchedule: "linear" },
  ignored: {},
  stepOptions: STEP_OPTIONS,
  direction: "denoise",
};
