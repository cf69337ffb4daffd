// Rescaled guidance where there is no deviation to rescale to. Everything else of guidance is held against float64 in
// oracle-steps.test.ts.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { implementations } from "./implementations.js";
import { assertSameBits, normalData } from "./tensors.js";

for (const [name, { DDIMScheduler }] of Object.entries(implementations)) {
  const scheduler = new DDIMScheduler({ clipSample: false });
  scheduler.setTimesteps(20);

  /** A step with guidance, rescaled and not. */
  function both(uncond: Float32Array, cond: Float32Array) {
    const modelOutput = new Float32Array(2 * cond.length);
    modelOutput.set(uncond);
    modelOutput.set(cond, cond.length);
    const x = normalData(1, cond.length) as Float32Array;
    const step = (guidanceRescale: number) =>
      scheduler.step(modelOutput, x, 500, { guidanceScale: 3, guidanceRescale });
    return [step(0.7), step(0)] as const;
  }

  for (const length of [1, 5, 64, 40001]) {
    const constant = new Float32Array(length).fill(0.1);
    const varied = normalData(2, length) as Float32Array;
    // uncond + 3 (cond - uncond) is constant, in float32 too, where uncond is 1.5 cond and cond a power of two.
    const cond = varied.map((_, i) => 2 ** (i % 3));

    test(`${name}: without a deviation, guidance stays as it is: ${length} elements`, () => {
      assertSameBits(...both(constant, constant));
      assertSameBits(...both(varied, constant));
      assertSameBits(
        ...both(
          cond.map((value) => 1.5 * value),
          cond,
        ),
      );
      assert.ok(both(varied, constant)[0].every(Number.isFinite));
    });
  }

  test(`${name}: a NaN is not hidden`, () => {
    const cond = normalData(2, 64) as Float32Array;
    cond[3] = NaN;
    assert.ok(both(normalData(3, 64) as Float32Array, cond)[0].every(Number.isNaN));
  });
}

test.run();
