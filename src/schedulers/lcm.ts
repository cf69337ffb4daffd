// LCM (arXiv 2310.04378): sampling from latent consistency models.

import { type Mixture, root } from "../schedule/coefficients.js";
import { DISTILLED_OPTIONS, DistilledScheduler, type DistilledSchedulerOptions } from "./distilled.js";
import { endAll, type ReadTimesteps } from "./operands.js";
import {
  type Definition,
  NOISE_STEP_OPTIONS,
  type NoiseOptions,
  type ReadStep,
  type SharedStepOptions,
} from "./step-options.js";

/** Options of {@link LCMScheduler}. `setAlphaToOne: false` is ignored with a warning: nothing is left after the last step. */
export interface LCMSchedulerOptions extends DistilledSchedulerOptions {}

/** Options of {@link LCMScheduler.step}. */
export interface LCMStepOptions extends SharedStepOptions, NoiseOptions {}

/** The deviation of the data in the boundary condition, squared. */
const DATA_VARIANCE = 0.25;

/**
 * The sampler of latent consistency models (LCM, LCM-LoRA; arXiv 2310.04378), with the options of diffusers'
 * `LCMScheduler`: 1 to 8 model calls.
 *
 * A step maps the sample to the image at once, `c_out x_0 + c_skip x` with `c_skip = 0.25 / (s^2 + 0.25)`,
 * `c_out = s / sqrt(s^2 + 0.25)` and `s = timestepScaling t`, and noises that again to the next timestep p:
 * `sqrt(a_p) (c_out x_0 + c_skip x) + sqrt(1 - a_p) noise`. The last step adds, and draws, nothing.
 * `predOriginalSample` is the image that it maps to, diffusers' `denoised`.
 *
 * Every other step draws noise once for the whole sample, also where a batch has timesteps of its own and some are last.
 *
 * @example
 * import { Generator, LCMScheduler } from "ddim-wasm";
 *
 * const scheduler = new LCMScheduler();
 * scheduler.setTimesteps(4);
 * const generator = new Generator(42);
 * let sample = generator.randn([1, 4, 64, 64]);
 * for (const t of scheduler.timesteps) {
 *   sample = scheduler.step(await unet(sample, t), sample, t, { generator });
 * }
 */
export class LCMScheduler extends DistilledScheduler<LCMStepOptions> {
  /** @internal */
  static get definition(): Definition<LCMSchedulerOptions> {
    return LCM;
  }

  /** @internal */
  override mix(into: Mixture, from: number, to: number): void {
    const scaled = from * this.config.timestepScaling;
    const square = scaled * scaled + DATA_VARIANCE;
    const target = this.alphaAt(to);
    const signal = Math.sqrt(target);
    into.set((signal * scaled) / Math.sqrt(square), (signal * DATA_VARIANCE) / square, 0, root(1 - target));
  }

  /** @internal */
  override takesNoise(_step: ReadStep, to: ReadTimesteps): boolean {
    return !endAll(to);
  }
}

const LCM: Definition<LCMSchedulerOptions> = {
  className: "LCMScheduler",
  options: DISTILLED_OPTIONS,
  missing: { clipSample: false },
  ignored: { timestepSpacing: "leading", stepsOffset: 0, setAlphaToOne: true },
  stepOptions: NOISE_STEP_OPTIONS,
  direction: "denoise",
  original: "step",
};
