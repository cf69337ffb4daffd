// What a long run leaves behind and takes on the way, as the process and the module's memory tell.

import { setImmediate } from "node:timers/promises";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { StepOptions } from "ddim-wasm";
import { implementations } from "./implementations.js";
import { emptyData, normalData } from "./tensors.js";

const { DDIMScheduler, Generator, allocate } = implementations.simd;

/** Collects all garbage; arrays' memory is given back in the background. The tests are run with --expose-gc. */
async function collect(): Promise<void> {
  for (let round = 0; round < 2; round++) {
    globalThis.gc!();
    await setImmediate();
  }
}

const scheduler = new DDIMScheduler({ clipSample: false });
scheduler.setTimesteps(20);
const thresholding = new DDIMScheduler({ thresholding: true });
thresholding.setTimesteps(20);

/** Small tensors, as they are where the library's own work counts most. */
const LENGTH = 64;
const [x, m, doubled, out] = [
  normalData(1, LENGTH),
  normalData(2, LENGTH),
  normalData(3, 2 * LENGTH),
  emptyData(LENGTH),
];
const [halfX, halfM] = [normalData(4, LENGTH, "float16"), normalData(5, LENGTH, "float16")];
const generator = new Generator(6);
const guided: StepOptions = { guidanceScale: 3, guidanceRescale: 0.7, out };
const noisy: StepOptions = { eta: 1, generator: [generator, generator], out };

const step = () => scheduler.step(m, x, 950, { out });

/** How often, and what. */
const CALLS: Record<string, [times: number, call: () => unknown]> = {
  "steps into out": [1_000_000, step],
  "steps with results": [100_000, () => scheduler.step(m, x, 950, { returnDict: true })],
  "steps of halves": [100_000, () => scheduler.step(halfM, halfX, 950)],
  "steps with guidance": [100_000, () => scheduler.step(doubled, x, 950, guided)],
  "steps with noise": [100_000, () => scheduler.step({ data: m, dims: [2, 32] }, x, [950, 900], noisy)],
  "steps with thresholding": [100_000, () => thresholding.step(m, x, 950, { out })],
  "calls of addNoise": [100_000, () => scheduler.addNoise(x, m, 950)],
  draws: [100_000, () => generator.randn([LENGTH])],
  generators: [100_000, () => new Generator(7)],
};

for (const [name, [times, call]] of Object.entries(CALLS)) {
  test(`${times.toLocaleString("en")} ${name} leave less than a byte each`, async () => {
    const left = { heapUsed: Infinity, external: Infinity, arrayBuffers: Infinity };
    const kinds = Object.keys(left) as (keyof typeof left)[];
    // The engine compiles and learns in the first rounds, and keeps what it learnt: what leaks does so in every round.
    for (let round = 0; round < 4; round++) {
      await collect();
      const before = process.memoryUsage();
      for (let i = 0; i < times; i++) call();
      await collect();
      const after = process.memoryUsage();
      for (const kind of kinds) left[kind] = Math.min(left[kind], after[kind] - before[kind]);
    }
    for (const kind of kinds) assert.ok(left[kind] < times, `${kind}: ${left[kind]} bytes`);
  });
}

test("a step into out takes less than two kilobytes for a moment", async () => {
  const steps = 100;
  for (let i = 0; i < 500 * steps; i++) step();
  await collect();
  // What one round of steps took: less if garbage was collected meanwhile, more if the engine compiled.
  const taken = Array.from({ length: 9 }, () => {
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < steps; i++) step();
    return (process.memoryUsage().heapUsed - before) / steps;
  });
  taken.sort((a, b) => a - b);
  const median = taken[4]!;
  assert.ok(median > 0, "garbage was collected in most rounds");
  assert.ok(median < 2048, `${median} bytes a step`);
});

test("a large batch leaves nothing behind", async () => {
  const batch = 1_000_000;
  const dims = [batch, 1];
  const [sample, modelOutput, doubled] = [emptyData(batch), emptyData(batch), emptyData(2 * batch)];
  const timesteps = new Int32Array(batch).map((_, i) => (i % 2 ? 950 : 900));
  const calls = {
    "a step": () => scheduler.step({ data: modelOutput, dims }, { data: sample, dims }, timesteps, { out: sample }),
    addNoise: () => scheduler.addNoise({ data: sample, dims }, modelOutput, timesteps, { out: sample }),
    "a step with guidance": () =>
      scheduler.step({ data: doubled, dims: [2 * batch, 1] }, { data: sample, dims }, 950, {
        guidanceScale: 3,
        guidanceRescale: 0.5,
        out: sample,
      }),
  };
  await collect();
  const before = process.memoryUsage().heapUsed;
  for (const [name, call] of Object.entries(calls)) {
    call();
    await collect();
    const left = process.memoryUsage().heapUsed - before;
    assert.ok(left < 20 * 2 ** 20, `${name}: ${left} bytes`);
  }
});

test("tensors of any size take no more of the module's memory", () => {
  const probe = allocate([1]);
  const before = probe.data.buffer.byteLength;
  const length = 2 ** 21 + 3;
  for (const type of ["float32", "float16"] as const) {
    const [sample, modelOutput, both] = [emptyData(length, type), emptyData(length, type), emptyData(2 * length, type)];
    new Generator(1).randn([length], { type, out: sample });
    scheduler.step(modelOutput, sample, 950, { returnDict: true });
    scheduler.step(both, sample, 950, { guidanceScale: 2, guidanceRescale: 1, eta: 1, generator: new Generator(1) });
    thresholding.step(modelOutput, sample, 950, { out: sample });
    scheduler.addNoise(sample, modelOutput, 950, { out: modelOutput });
  }
  assert.is(probe.data.buffer.byteLength, before);
  probe.free();
});

test("a call takes the memory of its results and no other, with out none", async () => {
  const length = 2 ** 20;
  const bytes = 4 * length;
  const [sample, modelOutput, result] = [emptyData(length), emptyData(length), emptyData(length)];
  const calls: [results: number, call: () => unknown][] = [
    [1, () => scheduler.step(modelOutput, sample, 950)],
    [2, () => scheduler.step(modelOutput, sample, 950, { returnDict: true })],
    [0, () => scheduler.step(modelOutput, sample, 950, { out: result })],
    [1, () => scheduler.step(modelOutput, sample, 950, { out: result, returnDict: true })],
    [0, () => scheduler.step(modelOutput, sample, 950, { out: sample })],
    [0, () => scheduler.step(modelOutput, sample, 950, { eta: 1, generator, out: result })],
    [0, () => thresholding.step(modelOutput, sample, 950, { out: modelOutput })],
    [1, () => scheduler.getVelocity(sample, modelOutput, 950)],
    [0, () => scheduler.getVelocity(sample, modelOutput, 950, { out: sample })],
    [1, () => generator.randn([length])],
    [0, () => generator.randn([length], { out: result })],
  ];
  for (const [results, call] of calls) {
    call();
    await collect();
    const before = process.memoryUsage().arrayBuffers;
    const kept = call();
    const taken = process.memoryUsage().arrayBuffers - before;
    assert.ok(kept);
    assert.ok(Math.abs(taken - results * bytes) < 4096, `${call}: ${taken} bytes instead of ${results * bytes}`);
  }
});

test.run();
