// Several copies of the package in one process: none knows of another.

import { createRequire } from "node:module";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { copy, type Library } from "./implementations.js";
import { assertSameBits } from "./tensors.js";

const COPIES: Record<string, Library> = {
  one: await copy("one"),
  another: await copy("another"),
  CommonJS: createRequire(import.meta.url)("ddim-wasm") as Library,
  portable: (await import("ddim-wasm/portable")) as Library,
};

/** A run by hand, a step at a time, on resident tensors and others. */
function* sample({ DDIMScheduler, Generator, allocate }: Library, seed: number): Iterator<Float32Array, Float32Array> {
  const scheduler = new DDIMScheduler({ thresholding: seed % 2 === 0, sampleMaxValue: 2 });
  scheduler.setTimesteps(8);
  const generator = new Generator(seed);
  const dims = [2, 50 + seed];
  const x = allocate(dims);
  generator.randn(dims, { out: x });
  for (const t of scheduler.timesteps) {
    const modelOutput = { data: x.data.map((value) => value / 2), dims };
    scheduler.step(modelOutput, x, t, { eta: 0.5, generator, out: x });
    // Memory grows in the middle.
    allocate([20_000]).free();
    yield x.data;
  }
  const result = x.data.slice();
  x.free();
  return result;
}

function finish(run: Iterator<Float32Array, Float32Array>): Float32Array {
  for (;;) {
    const { done, value } = run.next();
    if (done) return value;
  }
}

test("runs of several copies, a step of each in turn, are those of each by itself", async () => {
  const expected = finish(sample(await copy("alone"), 5));
  const others = finish(sample(await copy("alone"), 6));
  const runs = Object.values(COPIES).flatMap((library) => [sample(library, 5), sample(library, 6)]);
  const results: Float32Array[] = [];
  for (let step = 0; step <= 8; step++) {
    runs.forEach((run, i) => {
      const { done, value } = run.next();
      if (done) results[i] = value;
    });
  }
  assert.is(results.length, runs.length);
  results.forEach((result, i) => assertSameBits(result, i % 2 === 0 ? expected : others, `run ${i}`));
});

test("what is of another copy is refused by the argument's name", () => {
  const list = Object.entries(COPIES);
  for (const [name, library] of list) {
    const scheduler = new library.DDIMScheduler();
    scheduler.setTimesteps(8);
    const x = new Float32Array(4);
    for (const [other, { DDIMScheduler, Generator, allocate }] of list) {
      if (other === name) continue;
      const resident = allocate([4]);
      assert.throws(() => scheduler.step(x, resident, 500), /^"sample" expected a resident tensor of this copy/);
      assert.throws(
        () => scheduler.step(x, x, 500, { out: resident }),
        /^"out" expected a resident tensor of this copy/,
      );
      assert.throws(() => scheduler.step(x, x, 500, { eta: 1, generator: new Generator(1) }), /^"generator" expected a Generator of this copy/); // prettier-ignore
      const model = (sample: unknown) => sample as Float32Array;
      assert.throws(() => new library.DiffusionPipeline({ scheduler: new DDIMScheduler(), model } as never), /^"scheduler" expected a scheduler/); // prettier-ignore
      // Its values, in an array outside of its memory, are welcome.
      assert.is(scheduler.step(x, resident.data.slice(), 500).length, 4);
      resident.free();
    }
  }
});

test.run();
