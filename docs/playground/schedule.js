// The noise schedule and the timesteps of a run, as the library itself has them.

import { DiffusionPipeline } from "ddim-wasm";
import { makeScheduler as makeDigitsScheduler } from "../../examples/digits/src/schedulers.js";
import { makeScheduler as makeWordsScheduler } from "../../examples/text-to-image/src/schedulers.js";
import config from "../../examples/text-to-image/model/scheduler/scheduler_config.json";
import { whyNot } from "./settings.js";

const quiet = { onWarning: () => {} };

function makeScheduler({ model, sampler, spacing, precision, ...settings }) {
  if (model === "digits") return makeDigitsScheduler({ scheduler: sampler, spacing, precision });
  const hasSpacing = whyNot({ ...settings, model, sampler }, "spacing") === null;
  return makeWordsScheduler(config, { sampler, precision, ...(hasSpacing && { spacing }) }, quiet);
}

/**
 * @param {import("./settings.js").Settings} settings
 * @returns {Promise<{ alphasCumprod: Float64Array, timesteps: number[] }>} the timesteps are those that the model is
 *   called for
 * @throws what the scheduler says of settings that do not go together
 */
export async function readSchedule(settings) {
  const scheduler = makeScheduler(settings);
  const timesteps = [];
  // A run of one value, with a model that sees no noise: it visits the timesteps that the drawing will.
  const pipeline = new DiffusionPipeline({ scheduler, model: ({ data, dims }) => ({ data: data.map(() => 0), dims }) });
  await pipeline.run({
    sample: { data: new Float32Array(1), dims: [1, 1] },
    numInferenceSteps: settings.steps,
    ...(settings.start !== "noise" && { strength: settings.strength }),
    onStep: ({ timestep }) => timesteps.push(timestep),
  });
  return { alphasCumprod: scheduler.alphasCumprod, timesteps };
}

/** The logarithm of signal to noise, both squared. */
export const logSnr = (alphaCumprod) => Math.log(alphaCumprod / (1 - alphaCumprod));
