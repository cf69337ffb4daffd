// What counts as a generator, and as a state of one. The numbers themselves are in random.test.ts.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { runInNewContext } from "node:vm";
import { implementations, pipelineOf } from "./implementations.js";
import { normalData } from "./tensors.js";

/** Values as the types do not know them. */
type Any = any;

const { DDIMScheduler, Generator } = implementations.simd;
const Pipeline = pipelineOf(implementations.simd);

const scheduler: Any = new DDIMScheduler();
scheduler.setTimesteps(20);
const m = { data: normalData(1, 40), dims: [2, 20] };
const x = { data: normalData(2, 40), dims: [2, 20] };

/** Objects that look like a generator. */
const FAKES: Record<string, () => Any> = {
  "an object of its prototype": () => Object.create(Generator.prototype),
  "an object of a derived prototype": () => Object.create(class extends Generator {}.prototype),
  "an object of its prototype with its properties": () =>
    Object.create(Generator.prototype, Object.getOwnPropertyDescriptors(new Generator(1))),
  "an object with a state": () => Object.assign(Object.create(Generator.prototype), { state: new Uint32Array(630) }),
  "a proxy of one": () => new Proxy(new Generator(1), {}),
  "one of another copy": () => new implementations.scalar.Generator(1),
};

function isRefused(error: unknown): boolean {
  return error instanceof TypeError && error.message.startsWith('"generator');
}

for (const [name, make] of Object.entries(FAKES)) {
  test(`${name} is refused before anything is written`, async () => {
    for (const eta of [0, 1]) {
      for (const before of [[], [new Generator(7)]]) {
        const states = before.map((generator) => generator.getState());
        const generator = before.length > 0 ? [...before, make()] : make();
        const out = normalData(3, 40);
        assert.throws(() => scheduler.step(m, x, 500, { eta, generator, out }), isRefused);
        assert.equal(out, normalData(3, 40), "out was written to");
        const after = before.map((generator) => generator.getState());
        assert.equal(after, states, "a generator moved");
      }
    }
    assert.ok(scheduler.step(m, x, 500, { eta: 1, generator: new Generator(1) }).data.every(Number.isFinite));
  });

  test(`${name} is refused by a run before the model is called`, async () => {
    let calls = 0;
    const pipeline = new Pipeline({ scheduler: new DDIMScheduler(), model: (sample: unknown) => (calls++, sample) });
    for (const options of [{ dims: [1, 4] }, { sample: normalData(1, 4) }, { dims: [1, 4], eta: 1 }]) {
      const error = await pipeline.run({ ...options, generator: make(), numInferenceSteps: 2 }).then(
        () => assert.unreachable("it was not rejected"),
        (thrown: unknown) => thrown,
      );
      assert.ok(isRefused(error), String(error));
    }
    assert.is(calls, 0);
  });
}

test("a generator of a derived class is one", () => {
  class Mine extends Generator {
    readonly mine = true;
  }
  const expected = scheduler.step(m, x, 500, { eta: 1, generator: new Generator(5) });
  assert.equal(scheduler.step(m, x, 500, { eta: 1, generator: new Mine(5) }), expected);
});

test("a generator shows nothing that writing to could break", () => {
  const generator: Any = new Generator(1);
  assert.not.ok("state" in generator, "state");
  const expected = new Generator(1).randn([700]).data;
  for (const key of Reflect.ownKeys(generator)) {
    try {
      generator[key] = null;
    } catch (error) {
      assert.instance(error, TypeError); // it cannot be written to
    }
  }
  generator.state = new Uint32Array(630).fill(0xffffffff);
  assert.equal(generator.randn([700]).data, expected);
  assert.equal(scheduler.step(m, x, 500, { eta: 1, generator: generator.manualSeed(5) }), scheduler.step(m, x, 500, { eta: 1, generator: new Generator(5) })); // prettier-ignore
});

// ---- states

const state = new Generator(11).getState();

/** What is no Uint8Array, however it looks. */
const FALSE_STATES: Record<string, () => Any> = {
  "an object that is named so": () => ({
    ...state,
    byteLength: 5056,
    length: 5056,
    [Symbol.toStringTag]: "Uint8Array",
  }),
  "an object of its prototype": () => Object.create(Uint8Array.prototype),
  "an array": () => Array.from(state),
  "an array that is named so": () =>
    Object.defineProperty(Array.from(state), Symbol.toStringTag, { value: "Uint8Array" }),
  "its buffer": () => state.buffer,
  "bytes that are clamped": () => new Uint8ClampedArray(state),
  "bytes that are clamped, and named so": () =>
    Object.defineProperty(new Uint8ClampedArray(state), Symbol.toStringTag, { value: "Uint8Array" }),
  "words that are named so": () =>
    Object.defineProperty(new Uint32Array(state.buffer), Symbol.toStringTag, { value: "Uint8Array" }),
  "a view that is named so": () =>
    Object.defineProperty(new DataView(state.buffer), Symbol.toStringTag, { value: "Uint8Array" }),
  "a proxy of one": () => new Proxy(state, {}),
};

for (const [name, make] of Object.entries(FALSE_STATES)) {
  test(`${name} is no state, and the generator goes on as before`, () => {
    const generator = new Generator(3);
    generator.randn([5]);
    const twin = generator.clone();
    assert.throws(
      () => generator.setState(make()),
      (error: unknown) => error instanceof TypeError && error.message.startsWith('"state"'),
    );
    assert.equal(generator.getState(), twin.getState());
    assert.equal(generator.randn([700]).data, twin.randn([700]).data);
  });
}

class Bytes extends Uint8Array {
  static get [Symbol.species](): never {
    throw new Error("its species was asked for");
  }
}

/** Real Uint8Arrays, some of which say something else. */
const TRUE_STATES: Record<string, () => Any> = {
  "a Uint8Array": () => state.slice(),
  "a Buffer": () => Buffer.from(state),
  "a derived class": () => new Bytes(state),
  "one of another realm": () => new (runInNewContext("Uint8Array"))(state),
  "part of another": () => new Uint8Array([1, 2, 3, ...state, 4]).subarray(3, 3 + state.length),
  "shared memory": () => {
    const shared = new Uint8Array(new SharedArrayBuffer(state.length));
    shared.set(state);
    return shared;
  },
  "one with another name": () => Object.defineProperty(state.slice(), Symbol.toStringTag, { value: "Int8Array" }),
  "one with another length": () =>
    Object.defineProperties(state.slice(), { length: { value: 1 }, byteLength: { value: 1 } }),
};

for (const [name, make] of Object.entries(TRUE_STATES)) {
  test(`${name} is a state`, () => {
    const generator = new Generator(3).setState(make());
    assert.equal(generator.getState(), state);
    assert.equal(generator.randn([700]).data, new Generator(11).randn([700]).data);
  });
}

// ---- integers

test("randint takes words as torch does, for bounds of every size", () => {
  const bounds = [
    1,
    7,
    1000,
    2 ** 27 + 1,
    2 ** 28 - 1,
    2 ** 28,
    2 ** 28 + 1,
    2 ** 31 - 1,
    2 ** 31,
    2 ** 32 - 1,
    2 ** 32,
  ];
  for (const range of bounds) {
    const low = range > 2 ** 31 ? -(2 ** 31) : -3;
    const high = low + range;
    const wide = range >= 2 ** 28;
    const values = new Generator(9).randint(low, high, [1300]);
    // A range of 2^64 takes two words a value as they are, the high half first.
    const pairs = new Generator(9).randint(-(2n ** 63n), 2n ** 63n, [1300]);
    const words = Array.from(pairs, (pair) => BigInt.asUintN(64, pair + 2n ** 63n)).flatMap((pair) =>
      wide ? [pair] : [pair >> 32n, pair & 0xffffffffn],
    );
    const expected = words.slice(0, 1300).map((word) => low + Number(word % BigInt(range)));
    assert.equal(Array.from(values), expected, `${range}`);
    assert.equal(Array.from(new Generator(9).randint(BigInt(low), BigInt(high), [1300]), Number), expected);
  }
});

test.run();
