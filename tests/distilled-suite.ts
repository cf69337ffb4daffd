// What diffusers' suites of its LCMScheduler and TCDScheduler have in common.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { DIMS, NOISE, RESIDUAL, SAMPLE } from "./diffusers-suite.js";
import type { Library } from "./implementations.js";

export const CONFIG = {
  numTrainTimesteps: 1000,
  betaStart: 0.00085,
  betaEnd: 0.012,
  betaSchedule: "scaled_linear",
  predictionType: "epsilon",
} as const;

/** Values of the options that both suites go through. */
export const VARIATIONS = [
  ...[100, 500, 1000].map((numTrainTimesteps) => ({ numTrainTimesteps })),
  ...([0.0001, 0.001, 0.01] as const).map((betaStart) => ({ betaStart, betaEnd: betaStart * 20 })),
  ...(["linear", "scaled_linear", "squaredcos_cap_v2"] as const).map((betaSchedule) => ({ betaSchedule })),
  ...(["epsilon", "v_prediction"] as const).map((predictionType) => ({ predictionType })),
];

/** The tests of both suites that are the same. `name` is that of the build. */
export function testDistilled(name: string, Class: Library["LCMScheduler"], Generator: Library["Generator"]): void {
  test(`${name}: a step keeps the shape, and adding noise does`, () => {
    const scheduler = new Class(CONFIG);
    scheduler.setTimesteps(10);
    const outputs = [-2, -1].map((at) => scheduler.step(RESIDUAL, SAMPLE, scheduler.timesteps.at(at)!));
    for (const output of outputs) assert.equal(output.dims, DIMS);
    assert.equal(scheduler.addNoise(SAMPLE, NOISE, scheduler.timesteps[5]!).dims, DIMS);
  });

  test(`${name}: with and without returnDict, the same sample`, () => {
    const scheduler = new Class(CONFIG);
    scheduler.setTimesteps(10);
    for (const t of scheduler.timesteps) {
      const [plain, both] = [
        scheduler.step(RESIDUAL, SAMPLE, t, { generator: new Generator(0) }),
        scheduler.step(RESIDUAL, SAMPLE, t, { generator: new Generator(0), returnDict: true }),
      ];
      assert.equal(both.prevSample, plain);
    }
  });
}
