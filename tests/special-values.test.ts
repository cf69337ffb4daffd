// Values at the ends of the number formats, and NaN: what is finite stays finite, and what is undefined is seen.

import type { DDIMSchedulerOptions, DType, StepOptions } from "ddim-wasm";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { halfToNumber } from "./binary16.js";
import { implementations } from "./implementations.js";
import { type Data, normalTensor } from "./tensors.js";

const PREDICTIONS = ["epsilon", "sample", "v_prediction"] as const;

const toNumbers = (data: Data): number[] =>
  data instanceof Uint16Array ? Array.from(data, halfToNumber) : Array.from(data);

const zeroSnr = { rescaleBetasZeroSnr: true };

/** Steps of a batch of 3 under thresholding; the first ones give x_0 no share in their result. */
const STEPS: Record<string, [DDIMSchedulerOptions, timestep: number, options: Omit<StepOptions, "out">]> = {
  "to pure noise": [zeroSnr, 500, { prevTimestep: 999 }],
  "to pure noise, with eta": [zeroSnr, 500, { prevTimestep: 999, eta: 1 }],
  "to pure noise, in part": [zeroSnr, 500, { prevTimestep: [999, 999, 400] }],
  "to where it is, with eps derived again": [{}, 500, { prevTimestep: 500, useClippedModelOutput: true }],
  "to a nearly pure noise": [zeroSnr, 500, { prevTimestep: 998 }],
  "as usual": [{}, 500, {}],
  "as usual, with eps derived again and eta": [{}, 500, { useClippedModelOutput: true, eta: 0.5 }],
  "to the end": [{}, 0, {}],
  "of halves for floats": [{ ...zeroSnr, computeDtype: "float16" }, 500, { prevTimestep: 999 }],
};

for (const [name, { DDIMScheduler }] of Object.entries(implementations)) {
  for (const [step, [config, timestep, options]] of Object.entries(STEPS)) {
    test(`${name}: a NaN in an x_0 makes its batch element NaN, and no other: ${step}`, () => {
      for (const predictionType of PREDICTIONS) {
        for (const type of ["float32", "float16"] satisfies DType[]) {
          for (const length of [5, 16390]) {
            const scheduler = new DDIMScheduler({ ...config, predictionType, thresholding: true, sampleMaxValue: 3 });
            scheduler.setTimesteps(20);
            const dims = [3, length];
            const [x, m, z] = [normalTensor(1, dims, type), normalTensor(2, dims, type), normalTensor(3, dims, type)];
            // The second element's middle, and the last element's end.
            for (const place of [1.5 * length, 3 * length - 1]) {
              m.data[Math.floor(place)] = type === "float16" ? 0x7e00 : NaN;
            }
            const { prevSample, predOriginalSample } = scheduler.step(m, x, timestep, {
              ...options,
              ...(options.eta ? { varianceNoise: z } : {}),
              returnDict: true,
            });
            const label = `${predictionType}, ${type}, ${length}`;
            for (const [what, { data }] of Object.entries({ prevSample, predOriginalSample })) {
              const values = toNumbers(data);
              const first = values.slice(0, length);
              assert.ok(first.every(Number.isFinite), `${what} of the first: ${label}`);
              assert.ok(values.slice(length).every(Number.isNaN), `${what} of the others: ${label}`);
            }
          }
        }
      }
    });
  }

  test(`${name}: infinities in a last step that is clipped end at its bounds: what has no share is left out`, () => {
    for (const predictionType of PREDICTIONS) {
      const scheduler = new DDIMScheduler({ predictionType, clipSampleRange: 0.75 });
      scheduler.setTimesteps(20);
      // The sign of x0 where the sample is infinite, and where the model output is.
      const signs = { epsilon: [1, -1], sample: [0, 1], v_prediction: [1, -1] }[predictionType];
      // Vectors, and what is left after them.
      for (const length of [3, 40]) {
        for (const value of [Infinity, -Infinity]) {
          const [zeros, filled] = [new Float32Array(length), new Float32Array(length).fill(value)];
          const results = [scheduler.step(zeros, filled, 0), scheduler.step(filled, zeros, 0)];
          for (const [i, result] of results.entries()) {
            const bound = 0.75 * signs[i]! * Math.sign(value);
            assert.ok(
              result.every((element) => element === bound),
              `${predictionType}, ${length} of ${value}: ${result[0]} instead of ${bound}`,
            );
          }
        }
      }
    }
  });

  test(`${name}: a threshold too small to divide by in float32`, () => {
    for (const predictionType of PREDICTIONS) {
      for (const sampleMaxValue of [1e-39, 1e-45, 5e-324, 2 ** -127]) {
        const scheduler = new DDIMScheduler({ predictionType, thresholding: true, sampleMaxValue });
        scheduler.setTimesteps(20);
        const m = Float32Array.of(0, 1, -1, 0);
        const { prevSample, predOriginalSample } = scheduler.step(m, new Float32Array(4), 500, { returnDict: true });
        const sign = predictionType === "sample" ? 1 : -1;
        assert.equal(
          Array.from(predOriginalSample, (value) => value + 0),
          [0, sign, -sign, 0],
          predictionType,
        );
        assert.ok(prevSample.every(Number.isFinite), `${predictionType}: ${prevSample}`);
      }
    }
  });

  test(`${name}: where a step adds no noise, infinite noise does not reach the result`, () => {
    const scheduler = new DDIMScheduler({ clipSample: false });
    scheduler.setTimesteps(20);
    const [x, m, z] = [1, 2, 3].map((seed) => normalTensor(seed, [2, 21]));
    // The second element's step goes to the end, whose variance is 0.
    const timestep = [900, 0];
    const step = (varianceNoise: typeof x) => scheduler.step(m!, x!, timestep, { eta: 1, varianceNoise });
    const expected = step(z!);
    z!.data.fill(Infinity, 21);
    assert.equal(step(z!), expected);
  });

  // Products of the alphas 1/2 and others of at most 50 halvings each: 1 - beta is exact.
  for (const exponent of [100, 112, 114, 119, 121, 140]) {
    test(`${name}: v_prediction where alphasCumprod is 2^-${exponent}`, () => {
      const trainedBetas = [0.5];
      for (let rest = exponent - 1; rest > 0; rest -= 50) trainedBetas.push(1 - 2 ** -Math.min(rest, 50));
      const last = trainedBetas.length - 1;
      const alpha = 2 ** -exponent;
      for (const bound of [Infinity, 1e30]) {
        const scheduler = new DDIMScheduler({
          trainedBetas,
          predictionType: "v_prediction",
          ...(bound === Infinity ? { clipSample: false } : { clipSampleRange: bound }),
        });
        assert.is(scheduler.alphasCumprod[last], alpha);
        for (const x of [0, 1, -1e30, 1e38]) {
          for (const m of [0, 1e-30, -1, 1e10, 1e20, -1e21, 1e22, 1e25, 5e29, -2e38]) {
            const [floatX, floatM] = [Math.fround(x), Math.fround(m)];
            const x0 = Math.sqrt(alpha) * floatX - Math.sqrt(1 - alpha) * floatM;
            const clipped = Math.min(Math.max(x0, -bound), bound);
            const eps = Math.sqrt(alpha) * floatM + Math.sqrt(1 - alpha) * floatX;
            const truth = { predOriginalSample: clipped, prevSample: Math.SQRT1_2 * (clipped + eps) };
            const result = scheduler.step(Float32Array.of(m), Float32Array.of(x), last, {
              prevTimestep: 0,
              returnDict: true,
            });
            for (const what of ["predOriginalSample", "prevSample"] as const) {
              const [actual] = result[what];
              const scale = Math.max(Math.abs(floatX), Math.abs(clipped), 2 ** -126);
              assert.ok(
                Math.abs(actual! - truth[what]) <= 1e-6 * scale,
                `${what} of x = ${x}, m = ${m}, bound ${bound}: ${actual} instead of ${truth[what]}`,
              );
            }
          }
        }
      }
    });
  }
}

test.run();
