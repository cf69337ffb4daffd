// src/schedule/coefficients.ts through the kernel that its results are for, against the formulas in float64.

import * as fc from "../fast-check.js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  Coefficients,
  scaleModelOutput,
  setThreshold,
  storePrediction,
  storeRecord,
} from "../../src/kernels/coefficients.js";
import type { Instance } from "../../src/module/instance.js";
import { epsilonIsSolvable, Mixture, root, setCombination, setStep } from "../../src/schedule/coefficients.js";
import type { PredictionType } from "../../src/schedule/options.js";
import { instances, normals } from "./instances.js";

const N = 40;

/** What the kernel makes of a sample, a model output and noise. */
function runKernel(core: Instance, coefficients: Coefficients, inputs: Inputs) {
  const { x, m, z, x0 } = fillStages(core, inputs);
  storeRecord(core, 0, coefficients);
  core.exports.update(x.address, x0.address, x.address, m.address, 0, z.address, N, 1, 0);
  return { prev: x.whole.slice(0, N), x0: x0.whole.slice(0, N) };
}

/** x0 alone, as thresholds are taken from it. */
function predict(core: Instance, coefficients: Coefficients, inputs: Inputs): Float32Array {
  const { x, m, x0 } = fillStages(core, inputs);
  storePrediction(core, 0, coefficients);
  core.exports.update(x0.address, 0, x.address, m.address, 0, 0, N, 1, 0);
  return x0.whole.slice(0, N);
}

function fillStages(core: Instance, inputs: Inputs) {
  const [x, m, z, x0] = [core.stages[0]!, core.stages[1]!, core.stages[3]!, core.stages[4]!];
  x.whole.set(inputs.x);
  m.whole.set(inputs.m);
  z.whole.set(inputs.z);
  // What other calls have left is not to matter.
  core.records.fill(NaN);
  return { x, m, z, x0 };
}

interface Inputs {
  x: Float32Array;
  m: Float32Array;
  z: Float32Array;
}

interface Case {
  predictionType: PredictionType;
  alpha: number;
  mixture: Mixture;
  range: number;
  rederive: boolean;
}

/**
 * The formulas in float64: a value, and the sum of the magnitudes that it is made of, which float32 errs in proportion
 * to. Clamping makes no error larger.
 */
function truth({ predictionType, alpha, mixture, range, rederive }: Case, x: number, m: number, z: number) {
  const signal = Math.sqrt(alpha);
  const noise = Math.sqrt(1 - alpha);
  let x0: number, eps: number, sizeX0: number, sizeEps: number;
  switch (predictionType) {
    case "epsilon":
      x0 = (x - noise * m) / signal;
      sizeX0 = (Math.abs(x) + noise * Math.abs(m)) / signal;
      eps = m;
      sizeEps = Math.abs(m);
      break;
    case "sample":
      x0 = m;
      sizeX0 = Math.abs(m);
      eps = (x - signal * m) / noise;
      sizeEps = (Math.abs(x) + signal * Math.abs(m)) / noise;
      break;
    case "v_prediction":
      x0 = signal * x - noise * m;
      sizeX0 = Math.abs(signal * x) + Math.abs(noise * m);
      eps = signal * m + noise * x;
      sizeEps = Math.abs(signal * m) + Math.abs(noise * x);
      break;
  }
  x0 = Math.min(Math.max(x0, -range), range);
  if (rederive) {
    eps = (x - signal * x0) / noise;
    sizeEps = (Math.abs(x) + signal * sizeX0) / noise;
  }
  const { original, sample, eps: share, noise: added } = mixture;
  return {
    x0,
    sizeX0,
    prev: original * x0 + sample * x + share * eps + added * z,
    sizePrev:
      Math.abs(original) * sizeX0 + Math.abs(sample * x) + Math.abs(share) * sizeEps + Math.abs(added) * Math.abs(z),
  };
}

/**
 * The bound of an error over the sum of magnitudes. A term takes at most three rounded coefficients and four operations,
 * each off by 2^-24 of it or less.
 */
const BOUND = 8 * 2 ** -24;

function assertFormula(core: Instance, test: Case, inputs: Inputs, coefficients: Coefficients): void {
  const { prev, x0 } = runKernel(core, coefficients, inputs);
  const alone = predict(core, coefficients, inputs);
  for (let i = 0; i < N; i++) {
    const expected = truth(test, inputs.x[i]!, inputs.m[i]!, inputs.z[i]!);
    const name = `${JSON.stringify(test)} at ${i}`;
    const error = Math.abs(prev[i]! - expected.prev) / expected.sizePrev;
    assert.ok(error <= BOUND, `prev is ${error} off: ${name}`);
    const originalError = Math.abs(x0[i]! - expected.x0) / expected.sizeX0;
    assert.ok(originalError <= BOUND, `x0 is ${originalError} off: ${name}`);
    const free = truth({ ...test, range: Infinity }, inputs.x[i]!, inputs.m[i]!, inputs.z[i]!);
    assert.ok(Math.abs(alone[i]! - free.x0) <= BOUND * free.sizeX0, `x0 alone: ${name}`);
  }
}

/** Multiples of 2^-20: products stay within float32's normal numbers. */
const shares = fc.integer({ min: -(2 ** 21), max: 2 ** 21 }).map((count) => count * 2 ** -20);

/** Mixtures of any sampler: shares of 0 among them, since a term without a share is left out. */
const mixtures = fc
  .tuple(...Array.from({ length: 4 }, () => fc.oneof({ weight: 4, arbitrary: shares }, fc.constant(0))))
  .map(([original, sample, eps, noise]) => {
    const mixture = new Mixture();
    mixture.set(original!, sample!, eps!, noise!);
    return mixture;
  })
  .filter(({ original, sample, eps }) => Math.abs(original) + Math.abs(sample) + Math.abs(eps) > 0.1);

const cases: fc.Arbitrary<Case> = fc.record({
  predictionType: fc.constantFrom("epsilon", "sample", "v_prediction"),
  // From almost only noise to almost none.
  alpha: fc.oneof(
    fc.double({ min: 0.001, max: 0.999, noNaN: true }),
    fc.double({ min: -8, max: -3, noNaN: true }).map((power) => 10 ** power),
    fc.double({ min: -6, max: -3, noNaN: true }).map((power) => 1 - 10 ** power),
  ),
  mixture: mixtures,
  range: fc.constantFrom(Infinity, 1, 0.3, 20),
  rederive: fc.boolean(),
});

const inputs = (seed: number): Inputs => ({ x: normals(seed, N), m: normals(seed + 1, N), z: normals(seed + 2, N) });

for (const [build, core] of Object.entries(instances)) {
  test(`${build}: a step is its formula, within float32's rounding`, () => {
    fc.assert(
      fc.property(cases, fc.nat(1000), (each, seed) => {
        // Without a clamp there is nothing to derive again from.
        const step = { ...each, rederive: each.rederive && each.range !== Infinity };
        const coefficients = new Coefficients();
        setStep(coefficients, step.predictionType, step.alpha, step.mixture, step.range, step.rederive);
        assertFormula(core, step, inputs(seed), coefficients);
      }),
      { numRuns: 1500 },
    );
  });

  // The last timesteps of a cosine schedule: the sample is noise, and so is the model's output. What is left of their
  // difference is magnified 1,020 times: with coefficients rounded after that it would be off by up to 6e-5. The model
  // output's coefficient, 1.2e-9 above -1, is -1 as a float: 1.2e-6 after it is magnified.
  test(`${build}: what cancels does so before it is magnified`, () => {
    const mixture = new Mixture();
    mixture.set(0.05, 0, Math.sqrt(1 - 0.05 ** 2), 0);
    const step = { predictionType: "epsilon", alpha: 2.4e-9, mixture, range: Infinity, rederive: false } as const;
    const coefficients = new Coefficients();
    setStep(coefficients, step.predictionType, step.alpha, step.mixture, step.range, step.rederive);
    const x = normals(1, N);
    const m = x.map((value, i) => value * (1 + (i - N / 2) * 2 ** -20));
    const { prev } = runKernel(core, coefficients, { x, m, z: x });
    for (let i = 0; i < N; i++) {
      const expected = truth(step, x[i]!, m[i]!, 0).prev;
      assert.ok(Math.abs(prev[i]! - expected) <= 2e-6 * Math.max(Math.abs(x[i]!), 1), `${i}: ${prev[i]}`);
    }
  });

  test(`${build}: an unclipped step takes two terms where they do not cancel, without x0`, () => {
    const mixture = new Mixture();
    mixture.set(0.8, 0, 0.6, 0);
    const coefficients = new Coefficients();
    setStep(coefficients, "epsilon", 0.25, mixture, Infinity, false);
    assert.is(coefficients.s, 0, "nothing of x0 is added");
    assert.ok(Math.abs(coefficients.b - 1.6) < 1e-15, `b is ${coefficients.b}`);
    assert.ok(Math.abs(coefficients.c - (0.6 - 1.6 * Math.sqrt(0.75))) < 1e-15, `c is ${coefficients.c}`);
    const x = normals(1, N);
    const { prev } = runKernel(core, coefficients, { x, m: new Float32Array(N), z: x });
    assert.equal(
      prev,
      x.map((value) => Math.fround(1.6) * value),
    );

    mixture.set(2, 2, 0, 0);
    setStep(coefficients, "sample", 0.25, mixture, Infinity, false);
    assert.equal([coefficients.s, coefficients.b, coefficients.c], [0, 2, 2], "up to 4 in all");

    mixture.set(0.8, 0, 0.6, 0);
    setStep(coefficients, "epsilon", 0.01, mixture, Infinity, false);
    assert.is.not(coefficients.s, 0, "beyond, x0 comes first");
  });

  test(`${build}: a scaled model output is that of the formula`, () => {
    fc.assert(
      fc.property(cases, fc.double({ min: 0.25, max: 3, noNaN: true }), fc.nat(1000), (each, factor, seed) => {
        const coefficients = new Coefficients();
        const step = { ...each, rederive: false };
        setStep(coefficients, step.predictionType, step.alpha, step.mixture, step.range, false);
        scaleModelOutput(coefficients, factor);
        const { x, m, z } = inputs(seed);
        const { prev } = runKernel(core, coefficients, { x, m, z });
        for (let i = 0; i < N; i++) {
          const expected = truth(step, x[i]!, factor * m[i]!, z[i]!);
          assert.ok(Math.abs(prev[i]! - expected.prev) <= BOUND * expected.sizePrev, JSON.stringify(step));
        }
      }),
      { numRuns: 300 },
    );
  });

  test(`${build}: a threshold s makes clamp(x0, -s, s) / s of x0`, () => {
    fc.assert(
      fc.property(cases, fc.double({ min: 1, max: 8, noNaN: true }), fc.nat(1000), (each, threshold, seed) => {
        const coefficients = new Coefficients();
        setStep(coefficients, each.predictionType, each.alpha, each.mixture, 1, each.rederive);
        setThreshold(coefficients, threshold);
        const { x, m, z } = inputs(seed);
        const result = runKernel(core, coefficients, { x, m, z });
        for (let i = 0; i < N; i++) {
          const free = truth({ ...each, range: threshold, rederive: false }, x[i]!, m[i]!, z[i]!);
          const error = Math.abs(result.x0[i]! - free.x0 / threshold);
          assert.ok(error <= (BOUND * free.sizeX0) / threshold, JSON.stringify(each));
        }
      }),
      { numRuns: 300 },
    );
  });

  test(`${build}: a threshold that is NaN spreads to every value`, () => {
    for (const original of [0, 0.5]) {
      const mixture = new Mixture();
      mixture.set(original, 0, 0.5, 0);
      const coefficients = new Coefficients();
      setStep(coefficients, "epsilon", 0.5, mixture, 1, false);
      setThreshold(coefficients, NaN);
      assert.ok(runKernel(core, coefficients, inputs(1)).prev.every(Number.isNaN));
    }
  });

  test(`${build}: a threshold below float32's range leaves 0 as it is`, () => {
    const coefficients = new Coefficients();
    const mixture = new Mixture();
    mixture.set(1, 0, 0, 0);
    setStep(coefficients, "sample", 0.5, mixture, 1, false);
    setThreshold(coefficients, 1e-39);
    const zeros = new Float32Array(N);
    const { prev, x0 } = runKernel(core, coefficients, { x: zeros, m: zeros, z: zeros });
    assert.ok(prev.every((value) => value === 0));
    assert.ok(x0.every((value) => value === 0));
  });

  test(`${build}: a combination is b x + c m`, () => {
    fc.assert(
      fc.property(shares, shares, fc.nat(1000), (b, c, seed) => {
        const coefficients = new Coefficients();
        setCombination(coefficients, b, c);
        const { x, m, z } = inputs(seed);
        const { prev } = runKernel(core, coefficients, { x, m, z });
        for (let i = 0; i < N; i++) {
          const error = Math.abs(prev[i]! - (b * x[i]! + c * m[i]!));
          assert.ok(error <= BOUND * (Math.abs(b * x[i]!) + Math.abs(c * m[i]!)));
        }
      }),
    );
  });
}

test("root: 0 for what is negative or undefined", () => {
  assert.equal([4, 0, -0, -1e-17, NaN, -Infinity].map(root), [2, 0, 0, 0, 0, 0]);
});

test("epsilon is solvable while 1 over the root of alpha is a float32", () => {
  for (const alpha of [1, 0.5, 1e-9, 1e-70]) assert.is(epsilonIsSolvable(alpha), true, `${alpha}`);
  for (const alpha of [0, 1e-78, 5e-324]) assert.is(epsilonIsSolvable(alpha), false, `${alpha}`);
});

test.run();
