// Draws the pictures, in a worker of the pool: a model in each.

import { DiffusionPipeline, Generator } from "ddim-wasm";
import { conditionOf, GUIDANCE, load, PICTURES, SHAPE, UNCONDITIONAL } from "./digits.js";
import { makeSampler } from "./samplers.js";

const model = await load();

/**
 * @param {object} task
 * @param {string} task.sampler
 * @param {string} task.clipping
 * @param {number} task.calls
 * @returns {Promise<Float32Array>} the pixels of all pictures
 */
export default async function draw({ sampler, clipping, calls }) {
  const { scheduler, stepOptions } = makeSampler(sampler, clipping);
  const { data } = await new DiffusionPipeline({ scheduler, model }).run({
    dims: [PICTURES.length, ...SHAPE],
    generator: PICTURES.map(({ seed }) => new Generator(seed)),
    numInferenceSteps: calls,
    condition: PICTURES.map(conditionOf),
    unconditional: UNCONDITIONAL,
    guidanceScale: GUIDANCE,
    ...stepOptions,
  });
  return data;
}
