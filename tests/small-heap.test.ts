// Large calls in a process with little room for JavaScript objects: tensors lie outside of these, and nothing else may
// grow with the number of values or of batch elements. Each script gives the number of wrong values.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { runInChild } from "./child.js";

const MEGABYTES = 16;

/** Counts the values of `actual` that differ from those of `expected`. */
const PRELUDE = `
  const { DDIMInverseScheduler, DDIMScheduler, DPMSolverMultistepScheduler, Generator, LCMScheduler } = library;
  const differences = (actual, expected) => {
    let count = Math.abs(actual.length - expected.length);
    for (let i = 0; i < expected.length; i++) if (actual[i] !== expected[i]) count++;
    return count;
  };
  const scheduler = new DDIMScheduler();
  scheduler.setTimesteps(20);
  const inverse = new DDIMInverseScheduler();
  inverse.setTimesteps(20);
  const dpm = new DPMSolverMultistepScheduler();
  dpm.setTimesteps(20);
  const lcm = new LCMScheduler();
  lcm.setTimesteps(4);`;

/** Calls with a tensor made of data and dims; one timestep holds for the whole batch. */
const CALLS: Record<string, string> = {
  "a step": "scheduler.step(m, x, 500)",
  "a step with noise":
    "scheduler.step(m, x, 500, { eta: 1, generator: new Generator(3), useClippedModelOutput: true })",
  "a step to a timestep of one's own": "scheduler.step(m, x, 500, { prevTimestep: 100, out: x })",
  "an inverse step": "inverse.step(m, x, 500)",
  "a step with a history": "dpm.step(m, x, 500, { history: { predOriginalSample: x, timestep: 600 } })",
  "a step of LCM": "lcm.step(m, x, 999, { varianceNoise: m })",
  addNoise: "scheduler.addNoise(x, m, 500)",
  getVelocity: "scheduler.getVelocity(x, m, 500n)",
};

for (const [name, call] of Object.entries(CALLS)) {
  test(`${name} on four million batch elements of one value`, () => {
    const wrong = runInChild(
      `${PRELUDE}
      const n = 4e6;
      const call = (dims) => {
        const [x, m] = [0.25, 0.75].map((value) => ({ data: new Float32Array(n).fill(value), dims }));
        return ${call}.data;
      };
      report(differences(call([n]), call([1, n])));`,
      { heap: MEGABYTES },
    );
    assert.is(wrong, 0);
  });

  test(`${name} on a hundred million batch elements without a value, and on 2^40`, () => {
    const lengths = runInChild(
      `${PRELUDE}
      const call = (batch) => {
        const [x, m] = [1, 2].map(() => ({ data: new Float32Array(0), dims: [batch, 0] }));
        return ${call}.data.length;
      };
      report([call(2 ** 40), call(1e8)]);`,
      { heap: MEGABYTES },
    );
    assert.equal(lengths, [0, 0]);
  });
}

// 32 random bits a value, or 64 for ranges from 2^28 on; and other calls that give the same numbers a few at a time.
const RANGES: Record<string, [low: string, high: string, n: number]> = {
  "timesteps for training": ["0", "1000", 4e6],
  "integers of a wide range": ["-(2 ** 31)", "2 ** 31", 2e6],
  bigints: ["0n", "1000n", 1e6],
  "bigints of all bits": ["-(2n ** 63n)", "2n ** 63n", 1e6],
};

for (const [name, [low, high, n]] of Object.entries(RANGES)) {
  test(`randint draws ${n} ${name}`, () => {
    const wrong = runInChild(
      `${PRELUDE}
      const integers = new Generator(5).randint(${low}, ${high}, [${n}]);
      const generator = new Generator(5);
      const few = Array.from({ length: 40 }, () => generator.randint(${low}, ${high}, [500]));
      report(integers.length - ${n} + few.reduce((sum, part, i) => sum + differences(integers.subarray(500 * i, 500 * (i + 1)), part), 0));`,
      { heap: MEGABYTES },
    );
    assert.is(wrong, 0);
  });
}

test.run();
