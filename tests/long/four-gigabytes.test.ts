// Tensors at the end of the module's memory, where the address after the last byte is 2^32: no 32-bit number. It takes
// 4 GiB of memory and some seconds, so it is run by itself: npm run test:api -- long/

import { createRequire } from "node:module";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { runInChild } from "../child.js";

/** The module inside the library, and the one without SIMD. */
const MODULES = {
  simd: "",
  scalar: `
  const { readFileSync } = await import("node:fs");
  await library.init(readFileSync(${JSON.stringify(createRequire(import.meta.url).resolve("ddim-wasm/core.scalar.wasm"))}));`,
};

/** Fills the module's memory, so that the last tensor ends where it does. */
const PRELUDE = `
  const { allocate, DDIMScheduler, Generator } = library;
  const END = 2 ** 32;
  const LENGTH = 40000;
  const probe = allocate([1]);
  const start = probe.data.byteOffset;
  probe.free();
  for (let rest = END - start - 4 * LENGTH; rest > 0; rest -= 2 ** 30) allocate([Math.min(rest, 2 ** 30) / 4]);
  const { buffer, byteOffset, byteLength } = allocate([LENGTH]).data;
  if (byteOffset + byteLength !== END) throw new Error("the last tensor ends at " + (byteOffset + byteLength));

  /** The last n values of the memory, and how many of them differ from those of another array. */
  const last = (n, type) =>
    type === "float16" ? new Uint16Array(buffer, END - 2 * n, n) : new Float32Array(buffer, END - 4 * n, n);
  const differences = (values, expected) => expected.reduce((sum, value, i) => sum + !Object.is(value, values[i]), 0);
  const wrong = [];`;

// Around torch's blocks of 16 and the pieces that tensors are made in.
const LENGTHS = [1, 3, 15, 16, 17, 1000, 16400, 16401, 16416, 40000];

for (const [name, module] of Object.entries(MODULES)) {
  test(`${name}: draws into the last bytes of 4 GiB are those into any other`, () => {
    const wrong = runInChild(
      `${module}${PRELUDE}
    for (const n of ${JSON.stringify(LENGTHS)}) {
      for (const type of ["float32", "float16"]) {
        for (const draw of ["randn", "rand"]) {
          const [generator, twin] = [new Generator(5), new Generator(5)];
          const out = last(n, type).fill(7);
          generator[draw]([n], { type, out });
          const count = differences(out, twin[draw]([n], { type }).data);
          if (count > 0) wrong.push(draw + " of " + n + " " + type + ": " + count + " are wrong");
          if (differences(generator.getState(), twin.getState()) > 0) wrong.push("the state after " + draw + " of " + n);
        }
      }
    }
    report(wrong);`,
      { seconds: 300 },
    );
    assert.equal(wrong, []);
  });

  test(`${name}: steps on the last bytes of 4 GiB are those on any other`, () => {
    const wrong = runInChild(
      `${module}${PRELUDE}
    const schedulers = [{}, { clipSample: false }, { thresholding: true, sampleMaxValue: 3 }].map((options) => {
      const scheduler = new DDIMScheduler(options);
      scheduler.setTimesteps(20);
      return scheduler;
    });
    for (const n of ${JSON.stringify(LENGTHS)}) {
      for (const type of ["float32", "float16"]) {
        const draw = (seed) => new Generator(seed).randn([n], { type }).data;
        const [x, m] = [draw(1), draw(2)];
        for (const scheduler of schedulers) {
          for (const eta of [0, 1]) {
            const out = last(n, type);
            out.set(x);
            const expected = scheduler.step(m, x, 500, { eta, generator: new Generator(3) });
            scheduler.step(m, out, 500, { eta, generator: new Generator(3), out });
            const count = differences(out, expected);
            if (count > 0) wrong.push(n + " " + type + ", eta " + eta + ": " + count + " are wrong");
          }
        }
      }
    }
    report(wrong);`,
      { seconds: 300 },
    );
    assert.equal(wrong, []);
  });
}

test.run();
