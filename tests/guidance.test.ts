// Rescaled guidance where there is no deviation to rescale to, and what a doubled model output looks like. Everything
// else of guidance is held against float64 in oracle-steps.test.ts.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { implementations, pipelineOf } from "./implementations.js";
import { assertSameBits, normalData, normalTensor } from "./tensors.js";

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

// A model with twice the channels (learned variance) gives as many values as one with a doubled batch: dims tell them
// apart, and a batch of bare arrays is told by the timesteps.

const { allocate, DDIMInverseScheduler, DDIMScheduler, Generator } = implementations.simd;
const Pipeline = pipelineOf(implementations.simd);
const guidance = { guidanceScale: 3 };

/** Asserts that a call, or a promise, fails because of the model output. */
async function assertRefused(call: () => unknown, kinds: unknown[], ...pieces: (string | RegExp)[]): Promise<void> {
  let error: any;
  try {
    await call();
  } catch (thrown) {
    error = thrown;
  }
  assert.ok(error, "nothing was thrown");
  assert.ok(kinds.includes(error.constructor), String(error));
  assert.ok(error.message.startsWith('"modelOutput'), error.message);
  for (const piece of pieces) assert.match(error.message, piece);
}

/** The schedulers whose steps take guidance. */
const schedulers: any[] = [new DDIMScheduler(), new DDIMInverseScheduler()];
for (const scheduler of schedulers) scheduler.setTimesteps(20);

test("with guidance, a bare model output for a sample with dims is refused", async () => {
  const bare = normalData(1, 96);
  const resident = allocate([1, 3, 4, 4]);
  const samples = [normalTensor(2, [1, 3, 4, 4]), normalTensor(2, [2, 24]), normalTensor(2, [48]), resident];
  for (const scheduler of schedulers) {
    for (const sample of samples) {
      const out = normalData(3, 48);
      await assertRefused(
        () => scheduler.step(bare, sample, 500, { ...guidance, out }),
        [TypeError],
        /dims/,
        /channels/,
      );
      assert.equal(out, normalData(3, 48), "out was written to");
    }
    // Without guidance there is nothing to tell apart.
    for (const sample of samples) assert.ok(scheduler.step(bare.subarray(48), sample, 500));
  }
  resident.free();
});

test("with guidance, a model output with dims for a bare sample has twice as many batch elements as timesteps", async () => {
  const bare = normalData(1, 48);
  const wrong: [dims: number[], timestep: number | number[]][] = [
    [[1, 6, 4, 4], 500],
    [[96], 500],
    [[4, 24], 500],
    [
      [2, 48],
      [500, 400],
    ],
    [
      [1, 96],
      [500, 400],
    ],
    [
      [8, 12],
      [500, 400],
    ],
  ];
  const right: typeof wrong = [
    [[2, 3, 4, 4], 500],
    [
      [4, 24],
      [500, 400],
    ],
    [[4, 2, 12], Int32Array.of(500, 400) as never],
    [[2, 48], [500]],
  ];
  for (const scheduler of schedulers) {
    for (const [dims, timestep] of wrong) {
      const out = normalData(3, 48);
      const step = () => scheduler.step(normalTensor(2, dims), bare, timestep, { ...guidance, out });
      const batch = Array.isArray(timestep) ? timestep.length : 1;
      await assertRefused(step, [RangeError, TypeError], `${2 * batch}`, /timestep/);
      assert.equal(out, normalData(3, 48), "out was written to");
    }
    for (const [dims, timestep] of right) {
      const result = scheduler.step(normalTensor(2, dims), bare, timestep, guidance);
      assertSameBits(result, scheduler.step(normalData(2, 96), bare, timestep, guidance));
    }
  }
});

test("with guidance, a run refuses a model that gives bare arrays for a sample with dims", async () => {
  const model = () => normalData(1, 32);
  const pipeline = new Pipeline({ scheduler: new DDIMScheduler(), model });
  const options = { numInferenceSteps: 2, generator: new Generator(1), ...guidance };
  await assertRefused(() => pipeline.run({ ...options, dims: [1, 2, 8] }), [TypeError], /dims/);
  await assertRefused(() => pipeline.run({ ...options, sample: normalTensor(2, [1, 16]) }), [TypeError], /dims/);
  assert.is((await pipeline.run({ ...options, sample: normalData(2, 16) })).length, 16);
});

test.run();
