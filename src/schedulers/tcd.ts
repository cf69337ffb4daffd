// TCD (arXiv 2402.19159): sampling from trajectory consistency models.

import { share } from "../checks/checks.js";
import type { Entries } from "../checks/options.js";
import { type Mixture, root } from "../schedule/coefficients.js";
import { mixDDIM } from "./ddim.js";
import { DISTILLED_OPTIONS, DistilledScheduler, type DistilledSchedulerOptions } from "./distilled.js";
import { endAll, type ReadTimesteps } from "./operands.js";
import {
  type Definition,
  NOISE_STEP_OPTIONS,
  type NoiseOptions,
  type ReadStep,
  type SharedStepOptions,
} from "./step-options.js";

/**
 * Options of {@link TCDScheduler}. As in diffusers, `clipSample`, `thresholding` and `timestepScaling` are ignored (with
 * a warning), and `setAlphaToOne` has no effect: the last step ends at alphasCumprod[0].
 */
export interface TCDSchedulerOptions extends DistilledSchedulerOptions {}

/** Options of {@link TCDScheduler.step}. */
export interface TCDStepOptions extends SharedStepOptions, NoiseOptions {
  /** The paper's gamma, in [0, 1]: 0 adds no noise, 1 maps to the image and noises that. Default 0.3. */
  eta?: number | undefined;
}

const STEP_OPTIONS = /* @__PURE__ */ NOISE_STEP_OPTIONS.extend({
  eta: [0.3, share],
} satisfies Entries<Pick<TCDStepOptions, "eta">>);

/**
 * The sampler of trajectory consistency models (TCD, Hyper-SD; arXiv 2402.19159), with the options of diffusers'
 * `TCDScheduler`: 1 to 8 model calls.
 *
 * A step maps the sample to `x_s = sqrt(a_s) x_0 + sqrt(1 - a_s) eps` at `s = floor((1 - eta) p)`, and noises that to
 * the next timestep p: `sqrt(a_p / a_s) x_s + sqrt(1 - a_p / a_s) noise`. The last step leads to timestep 0, and draws
 * nothing; nor do steps with `eta` 0. `predOriginalSample` is x_0.
 *
 * @example
 * import { Generator, TCDScheduler } from "ddim-wasm";
 *
 * const scheduler = new TCDScheduler();
 * scheduler.setTimesteps(4);
 * const generator = new Generator(42);
 * let sample = generator.randn([1, 4, 64, 64]);
 * for (const t of scheduler.timesteps) {
 *   sample = scheduler.step(await unet(sample, t), sample, t, { eta: 0.3, generator });
 * }
 */
export class TCDScheduler extends DistilledScheduler<TCDStepOptions> {
  /** @internal */
  static get definition(): Definition<TCDSchedulerOptions> {
    return TCD;
  }

  /** @internal */
  override get outerAlphaCumprod(): number {
    return this.alphasCumprod[0]!;
  }

  /** @internal */
  override mix(into: Mixture, _from: number, to: number, { eta }: ReadStep): void {
    const target = this.alphaAt(to);
    // In float32, as diffusers: (1 - 0.3) 90 is 63 there, and less in float64.
    const s = Math.floor(Math.fround(Math.fround(1 - eta!) * Math.max(to, 0)));
    const between = this.alphaAt(s);
    mixDDIM(into, target, root(1 - target / between));
  }

  /** @internal */
  override takesNoise({ eta }: ReadStep, to: ReadTimesteps): boolean {
    return eta! > 0 && !endAll(to);
  }
}

const TCD: Definition<TCDSchedulerOptions> = {
  className: "TCDScheduler",
  options: DISTILLED_OPTIONS,
  missing: { clipSample: false },
  ignored: { timestepSpacing: "leading", stepsOffset: 0, clipSample: false, thresholding: false, timestepScaling: 10 },
  stepOptions: STEP_OPTIONS,
  direction: "denoise",
};
