// Reading the options of runs.

import { boolean, callback, type Check, finite, positiveShare, share } from "../checks/checks.js";
import { wrongType } from "../checks/errors.js";
import { type Entries, OptionTable, type ValuesOf } from "../checks/options.js";
import { DTYPES } from "../tensor/dtype.js";
import type { DiffusionPipelineOptions, InvertOptions, LoopOptions, RunFromDims, StopSignal } from "./types.js";

const abortSignal: Check<StopSignal> = (name, value) => {
  if (typeof (value as StopSignal | null)?.aborted === "boolean") return value as StopSignal;
  throw wrongType(name, "an AbortSignal", value);
};

export const PIPELINE_OPTIONS = /* @__PURE__ */ new OptionTable({
  scheduler: [undefined],
  model: [undefined],
} satisfies Entries<DiffusionPipelineOptions>);

const LOOP_OPTIONS = /* @__PURE__ */ new OptionTable({
  numInferenceSteps: [undefined],
  guidanceScale: [undefined, finite],
  guidanceRescale: [0, share],
  learnedVariance: [false, boolean],
  condition: [undefined],
  unconditional: [undefined],
  signal: [undefined, abortSignal],
  checkFinite: [false, boolean],
} satisfies Entries<LoopOptions>);

type SamplingOnly = Omit<RunFromDims<"float32">, keyof LoopOptions>;

export const STREAM_OPTIONS = /* @__PURE__ */ LOOP_OPTIONS.extend({
  dims: [undefined],
  type: [undefined, DTYPES],
  generator: [undefined],
  sample: [undefined],
  strength: [undefined, positiveShare],
  exactSteps: [false, boolean],
  mask: [undefined],
  known: [undefined],
  knownNoise: [undefined],
  eta: [undefined, share],
  useClippedModelOutput: [undefined, boolean],
} satisfies Entries<SamplingOnly>);

export const RUN_OPTIONS = /* @__PURE__ */ STREAM_OPTIONS.extend({ onStep: [undefined, callback] });

export const INVERT_OPTIONS = /* @__PURE__ */ LOOP_OPTIONS.extend({
  sample: [undefined],
  refine: [false],
  onStep: [undefined, callback],
} satisfies Entries<Omit<InvertOptions, keyof LoopOptions>>);

/** Options as they have been read. */
export type ReadLoopOptions = ValuesOf<typeof LOOP_OPTIONS>;
export type ReadRunOptions = ValuesOf<typeof STREAM_OPTIONS>;
export type ReadInvertOptions = ValuesOf<typeof INVERT_OPTIONS>;
