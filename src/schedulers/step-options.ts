// Options of the calls of a scheduler, and the definition of a sampler.

import { boolean, finite, share } from "../checks/checks.js";
import { type Entries, OptionTable } from "../checks/options.js";
import type { Generator } from "../random/generator.js";
import type { FileFormat } from "../schedule/config-file.js";
import type { Tensor } from "../tensor/tensor.js";
import type { Timesteps } from "./operands.js";

/** Options of `addNoise` and `getVelocity`. */
export interface OutOptions {
  /** A tensor of the sample's type and length that takes the result; it may be one of the inputs. */
  out?: Tensor | undefined;
}

export const OUT_OPTIONS = /* @__PURE__ */ new OptionTable({ out: [undefined] } satisfies Entries<OutOptions>);

/** How the two halves of a doubled model output are combined. */
export interface GuidanceOptions {
  /**
   * Classifier-free guidance: the model output holds the unconditional batch and after it the conditional one, and
   * uncond + guidanceScale (cond - uncond) takes its place. Any finite number.
   */
  guidanceScale?: number | undefined;
  /**
   * Share, in [0, 1], of the guided output that is brought back to the conditional one's deviation (arXiv 2305.08891,
   * section 3.4), for each batch element; one without a deviation stays as it is. Default 0.
   */
  guidanceRescale?: number | undefined;
}

/** Options that the steps of all schedulers have. */
export interface SharedStepOptions extends GuidanceOptions {
  /**
   * The timestep that the step leads to (in an inversion: starts from), or one for each batch element. Negative: no noise
   * at all, or that of the first training step where `setAlphaToOne` is false.
   */
  prevTimestep?: Timesteps | undefined;
  /**
   * The model's output has twice the channels: the prediction, then variances (DiT, guided diffusion), which are left
   * unread. Sample and model output need dims. Default false.
   */
  learnedVariance?: boolean | undefined;
  /** Return `{ prevSample, predOriginalSample }`. Default false. */
  returnDict?: boolean | undefined;
  /** A tensor of the sample's type and length that takes the result; it may be one of the inputs. */
  out?: Tensor | undefined;
}

export const SHARED_STEP_OPTIONS = /* @__PURE__ */ new OptionTable(
  {
    prevTimestep: [undefined],
    guidanceScale: [undefined, finite],
    guidanceRescale: [0, share],
    learnedVariance: [false, boolean],
    returnDict: [false, boolean],
    out: [undefined],
  } satisfies Entries<SharedStepOptions>,
  ["eta", "useClippedModelOutput", "generator", "varianceNoise", "history"],
);

/** Options of steps that may add noise. */
export interface NoiseOptions {
  /** Source of the noise: one generator, or a list with one for each batch element. Default: one seeded from crypto. */
  generator?: Generator | readonly Generator[] | undefined;
  /** The noise itself, in place of a generator. */
  varianceNoise?: Tensor | undefined;
}

export const NOISE_STEP_OPTIONS = /* @__PURE__ */ SHARED_STEP_OPTIONS.extend({
  generator: [undefined],
  varianceNoise: [undefined],
} satisfies Entries<NoiseOptions>);

/** What a step returns under `returnDict`. */
export interface StepResult<P, O = P> {
  /** The sample after the step. */
  prevSample: P;
  /** x_0, the predicted original sample, clipped or thresholded; of an LCM what it makes of that. In new memory. */
  predOriginalSample: O;
}

/** What a step returned under `returnDict`, for the one that follows. */
export interface StepHistory {
  /** The original sample that it predicted. */
  readonly predOriginalSample: Tensor;
  /** Its timestep, or one for each batch element. */
  readonly timestep: Timesteps;
  /** How many steps the run has. Default: what the scheduler is set to, which another run may change meanwhile. */
  readonly numInferenceSteps?: number | undefined;
}

/** A step's options as they have been read; those that a sampler does not have are absent. */
export interface ReadStep extends ReadGuidance {
  readonly prevTimestep: unknown;
  readonly learnedVariance: boolean;
  readonly returnDict: boolean;
  readonly out: unknown;
  readonly eta?: number;
  readonly useClippedModelOutput?: boolean;
  readonly generator?: unknown;
  readonly varianceNoise?: unknown;
  readonly history?: unknown;
}

/** Options of guidance that have been read. */
export interface ReadGuidance {
  readonly guidanceScale: number | undefined;
  readonly guidanceRescale: number;
}

/** Refuses a rescaling without guidance. */
export function checkGuidance({ guidanceScale, guidanceRescale }: ReadGuidance): void {
  if (guidanceRescale !== 0 && guidanceScale === undefined) {
    throw new TypeError('"guidanceRescale" expected guidanceScale beside it, got none');
  }
}

/** What tells one sampler from another, but for the mixture of its step and its files. */
export interface StepDefinition {
  readonly stepOptions: OptionTable;
  /** Whether steps lead towards the image, or from it to the noise that it is sampled from. */
  readonly direction: "denoise" | "invert";
  /** What `predOriginalSample` is: "step", what a last step from here gives. Absent: x0. */
  readonly original?: "step";
  /** Whether eps is always that of the clamped x0. */
  readonly rederives?: true;
}

/** What tells one sampler from another, but for the mixture of its step. */
export interface Definition<O> extends FileFormat<O>, StepDefinition {}
