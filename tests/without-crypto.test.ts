// Engines without crypto, which have no seed of chance to give: an error whenever one is needed. And engines with it:
// the noise of those who bring no generator comes from such a seed.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { implementations, pipelineOf } from "./implementations.js";
import { assertSameBits, normalData } from "./tensors.js";

const { DDIMScheduler, Generator } = implementations.simd;
const Pipeline = pipelineOf(implementations.simd);

const x = normalData(1, 20) as Float32Array;
const m = normalData(2, 20) as Float32Array;

/** What `call` gives while the engine's crypto is `crypto`. */
async function withCrypto<T>(crypto: unknown, call: () => T | Promise<T>): Promise<T> {
  const own = Object.getOwnPropertyDescriptor(globalThis, "crypto")!;
  Object.defineProperty(globalThis, "crypto", { value: crypto, configurable: true, writable: true });
  try {
    return await call();
  } finally {
    Object.defineProperty(globalThis, "crypto", own);
  }
}

/** The error that `call` throws, or is rejected with. */
async function errorOf(call: () => unknown): Promise<Error> {
  try {
    await call();
  } catch (error) {
    return error as Error;
  }
  return assert.unreachable("nothing was thrown") as never;
}

function makeScheduler() {
  const scheduler = new DDIMScheduler();
  scheduler.setTimesteps(20);
  return scheduler;
}

const stubs: Record<string, unknown> = { "no crypto": undefined, "a crypto without random values": {} };
for (const [name, crypto] of Object.entries(stubs)) {
  test(`${name}: every step that needs noise is the same error`, async () => {
    const scheduler = makeScheduler();
    await withCrypto(crypto, async () => {
      const errors = [];
      for (const eta of [1, 1, 0.5]) errors.push(await errorOf(() => scheduler.step(m, x, 500, { eta })));
      for (const { constructor, message } of errors) {
        assert.is(constructor, Error);
        assert.match(message, /crypto.*seed/);
        assert.is(message, errors[0]!.message);
      }
    });
  });

  test(`${name}: steps that need no noise of chance go on`, async () => {
    const scheduler = makeScheduler();
    await withCrypto(crypto, async () => {
      assert.is((await errorOf(() => scheduler.step(m, x, 500, { eta: 1 }))).constructor, Error);
      const steps = [{}, { eta: 1, generator: new Generator(3) }, { eta: 1, varianceNoise: m }];
      for (const options of steps) assert.ok(scheduler.step(m, x, 500, options).every(Number.isFinite));
    });
  });

  test(`${name}: every run without a generator is the same error, and nothing is sampled`, async () => {
    let calls = 0;
    const pipeline = new Pipeline({ scheduler: new DDIMScheduler(), model: () => (calls++, m) });
    await withCrypto(crypto, async () => {
      const options = { dims: [1, 20], numInferenceSteps: 2 };
      const messages = [];
      for (let i = 0; i < 3; i++) messages.push((await errorOf(() => pipeline.run(options))).message);
      assert.match(messages[0]!, /crypto.*seed/);
      assert.equal(messages, Array(3).fill(messages[0]));
    });
    assert.is(calls, 0);
  });
}

test("a scheduler's own noise, and a run's, start from a seed of crypto's", async () => {
  let asked = 0;
  const crypto = { getRandomValues: (words: Uint32Array) => (asked++, words.fill(0x12345678)) };
  const [step, again, image] = await withCrypto(crypto, async () => {
    const scheduler = makeScheduler();
    const pipeline = new Pipeline({ scheduler: new DDIMScheduler(), model: (sample: unknown) => sample });
    return [
      scheduler.step(m, x, 500, { eta: 1 }),
      scheduler.step(m, x, 500, { eta: 1 }),
      (await pipeline.run({ dims: [1, 20], numInferenceSteps: 1 })).data,
    ] as const;
  });
  assert.is(asked, 2, "once a scheduler, and once a run");
  const generator = new Generator(0x12345678); // only the low 32 bits of a seed count
  assertSameBits(step, makeScheduler().step(m, x, 500, { eta: 1, generator }));
  assertSameBits(again, makeScheduler().step(m, x, 500, { eta: 1, generator }));
  const pipeline = new Pipeline({ scheduler: new DDIMScheduler(), model: (sample: unknown) => sample });
  const expected = await pipeline.run({ dims: [1, 20], numInferenceSteps: 1, generator: new Generator(0x12345678) });
  assertSameBits(image, expected.data);
});

test.run();
