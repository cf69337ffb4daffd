// Calls of the whole public API.

import { GENERATOR_CALLS, preview, useResident } from "./generator-calls.js";
import { makePipeline, runPipeline } from "./pipeline-calls.js";
import { addNoise, makeScheduler, readConfig, step } from "./scheduler-calls.js";
import type { World } from "./world.js";
import { number, wrongValue } from "./wrong-values.js";

/** Every call, by its name, and how often it is made beside the others. */
export const CALLS: Record<string, [weight: number, call: (world: World) => unknown]> = {
  "new scheduler": [4, (world) => world.keep(world.schedulers, makeScheduler(world))],
  fromConfig: [3, (world) => world.keep(world.schedulers, readConfig(world))],
  toConfig: [1, (world) => world.random.pick(world.schedulers).toConfig()],
  setTimesteps: [
    4,
    (world) => {
      const { random } = world;
      const list = Array.from({ length: 1 + random.below(4) }, (_, i) => number(world, 90 - 10 * i));
      const steps = random.pick<unknown>([number(world, 1 + random.below(10)), list, wrongValue(world)]);
      return random.pick(world.schedulers).setTimesteps(steps);
    },
  ],
  scaleModelInput: [
    1,
    (world) => world.random.pick(world.schedulers).scaleModelInput(wrongValue(world), wrongValue(world)),
  ],
  step: [20, step],
  addNoise: [8, addNoise],
  generator: [12, (world) => world.random.pick(GENERATOR_CALLS)(world)],
  resident: [4, useResident],
  latentToRgb: [3, preview],
  "new pipeline": [1, makePipeline],
  run: [3, runPipeline],
  init: [1, (world) => world.library.init(world.random.pick([undefined, wrongValue(world)]) as any)],
};
