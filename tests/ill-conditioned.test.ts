// Steps whose terms are far larger than what is left of them: where hardly any signal is left, x_0 is thousands of times
// the difference of sample and model output. A true model's output is near the sample there, so that the terms cancel.
// Against float64.

import type { DDIMSchedulerOptions } from "ddim-wasm";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { relativeError } from "./golden.js";
import { implementations } from "./implementations.js";
import { Oracle } from "./oracle.js";
import { normalData } from "./tensors.js";

/** diffusers' own chain of float32 operations errs by 2.1e-6 in the first of these steps. */
const TOLERANCE = 3e-6;

const LENGTH = 4096;
const original = normalData(1, LENGTH);
const noise = normalData(2, LENGTH);

/** The sample at an alpha product, and what a model says of it that knows the truth. */
function truthAt(alpha: number, predictionType: DDIMSchedulerOptions["predictionType"]) {
  const [signal, deviation] = [Math.sqrt(alpha), Math.sqrt(1 - alpha)];
  const sample = Float32Array.from(original, (x, i) => signal * x + deviation * noise[i]!);
  const velocity = Float32Array.from(original, (x, i) => signal * noise[i]! - deviation * x);
  const modelOutput = { epsilon: noise, sample: original, v_prediction: velocity }[predictionType ?? "epsilon"];
  return { sample, modelOutput: modelOutput as Float32Array };
}

/** Outputs of other models: nearer the sample, or a plain share of it. */
const MODELS: Record<string, (truth: Float32Array, sample: Float32Array) => Float32Array> = {
  "a true model": (truth) => truth,
  "the sample itself": (_truth, sample) => sample,
  "a little less than the sample": (_truth, sample) => sample.map((x) => x * 0.9999),
};

const zeroSnr = { betaSchedule: "linear", rescaleBetasZeroSnr: true } as const;

// A timestep, how many steps there are, and where they go. All of them are within the tolerance where the same step
// clips at a bound that nothing reaches.
const STEPS: [options: DDIMSchedulerOptions, steps: number, timestep: number, previous: number][] = [
  [{ timestepSpacing: "trailing" }, 20, 999, 949],
  [{ timestepSpacing: "trailing" }, 25, 999, 959],
  [{ timestepSpacing: "trailing" }, 50, 999, 979],
  [{ timestepSpacing: "trailing" }, 100, 999, 989],
  [{ timestepSpacing: "linspace" }, 20, 999, 949],
  [{ timestepSpacing: "trailing", numTrainTimesteps: 4000 }, 100, 3999, 3959],
  [zeroSnr, 20, 998, 948],
  [zeroSnr, 10, 998, 898],
  [zeroSnr, 5, 998, 798],
  [zeroSnr, 20, 997, 947],
];

for (const [name, { DDIMInverseScheduler, DDIMScheduler }] of Object.entries(implementations)) {
  for (const [options, steps, timestep, previous] of STEPS) {
    for (const [model, outputOf] of Object.entries(MODELS)) {
      test(`${name}: epsilon from ${timestep} to ${previous}, ${JSON.stringify(options)}, ${model}`, () => {
        const config = { ...options, clipSample: false };
        const scheduler = new DDIMScheduler(config);
        scheduler.setTimesteps(steps);
        const oracle = new Oracle(config);
        const { sample, modelOutput } = truthAt(oracle.alphaAt(timestep), "epsilon");
        const output = outputOf(modelOutput, sample);
        const truth = oracle.step({ sample, modelOutput: output, timesteps: [timestep], previous: [previous] });
        const { prevSample, predOriginalSample } = scheduler.step(output, sample, timestep, { returnDict: true });
        const error = relativeError(prevSample, truth.prevSample);
        assert.ok(error <= TOLERANCE, `prevSample is ${error} off`);
        assert.ok(prevSample.every(Number.isFinite));
        assert.ok(predOriginalSample.every(Number.isFinite));
      });
    }
  }

  test(`${name}: guided epsilon at the end of a cosine schedule`, () => {
    const config = { timestepSpacing: "trailing", clipSample: false } as const;
    const scheduler = new DDIMScheduler(config);
    scheduler.setTimesteps(20);
    const oracle = new Oracle(config);
    const { sample, modelOutput } = truthAt(oracle.alphaAt(999), "epsilon");
    // Both halves are the same: whatever the scale, the guided output is exactly that.
    const doubled = new Float32Array(2 * LENGTH);
    doubled.set(modelOutput);
    doubled.set(modelOutput, LENGTH);
    const truth = oracle.step({ sample, modelOutput, timesteps: [999], previous: [949] });
    const error = relativeError(scheduler.step(doubled, sample, 999, { guidanceScale: 3 }), truth.prevSample);
    assert.ok(error <= TOLERANCE, `${error}`);
  });

  // Towards noise from where there is hardly any: eps is the difference of sample and model output over what little
  // noise there is. Floats err by 2.0e-6 and 1.7e-6 here when that difference is taken first.
  for (const betaSchedule of ["squaredcos_cap_v2", "linear"] as const) {
    test(`${name}: an inverse step of "sample" prediction from near alpha 1, ${betaSchedule}`, () => {
      const config = { betaSchedule, predictionType: "sample", clipSample: false, setAlphaToOne: false } as const;
      const inverse = new DDIMInverseScheduler(config);
      inverse.setTimesteps(5);
      const oracle = new Oracle(config);
      const [source, target] = [oracle.alphaAt(0), oracle.alphaAt(200)];
      const { sample, modelOutput } = truthAt(source, "sample");
      const truth = Float64Array.from(sample, (x, i) => {
        const m = modelOutput[i]!;
        const eps = (x - Math.sqrt(source) * m) / Math.sqrt(1 - source);
        return Math.sqrt(target) * m + Math.sqrt(1 - target) * eps;
      });
      const error = relativeError(inverse.step(modelOutput, sample, 200), truth);
      assert.ok(error <= TOLERANCE, `${error}`);
    });
  }
}

test.run();
