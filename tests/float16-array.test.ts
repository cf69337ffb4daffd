// Float16Arrays: the engine's own, or in an engine without them (Node before 24) a class that stands in for it, and for
// which a copy of the library asks the engine what kind an array is.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { copy, type Library } from "./implementations.js";
import { type Data, normalData } from "./tensors.js";

type Float16Class = new (buffer: ArrayBufferLike, offset?: number, length?: number) => Uint16Array;

/** A copy of the library, in an engine that has Float16Array, and that class. */
async function importWithFloat16Array(): Promise<[Library, Float16Class]> {
  const engine = globalThis as { Float16Array?: Float16Class };
  if (engine.Float16Array) return [await copy("float16"), engine.Float16Array];
  class Float16Array extends Uint16Array {}
  const prototype = Object.getPrototypeOf(Uint8Array.prototype) as object;
  const kind = Object.getOwnPropertyDescriptor(prototype, Symbol.toStringTag)!;
  const get = function (this: unknown): unknown {
    return this instanceof Float16Array ? "Float16Array" : kind.get!.call(this);
  };
  Object.defineProperty(prototype, Symbol.toStringTag, { ...kind, get });
  const library = await copy("float16");
  Object.defineProperty(prototype, Symbol.toStringTag, kind);
  engine.Float16Array = Float16Array;
  return [library, Float16Array];
}

const [library, Float16Array] = await importWithFloat16Array();
const { DDIMScheduler, DiffusionPipeline, Generator, allocate } = library;

const scheduler = new DDIMScheduler({ thresholding: true, sampleMaxValue: 2 });
scheduler.setTimesteps(20);

const LENGTHS = [7, 16, 1000, 16401];

/** The bits of halves. */
const bitsOf = ({ buffer, byteOffset, length }: Data): Uint16Array => new Uint16Array(buffer, byteOffset, length);

/** The same halves in an array of that class, `offset` elements after the start of its buffer. */
function toFloat16(bits: Uint16Array, offset: number): Uint16Array {
  const { buffer } = new Uint16Array(offset + bits.length + 3).fill(0x7e00);
  new Uint16Array(buffer).set(bits, offset);
  return new Float16Array(buffer, 2 * offset, bits.length);
}

test("steps on a part of a buffer are those on its bits, and come out as Float16Array", () => {
  for (const length of LENGTHS) {
    const halves = [1, 2, 3].map((seed) => normalData(seed, length, "float16"));
    for (const offset of [0, 1, 5, 64]) {
      const [x, m, z] = halves.map((bits) => toFloat16(bits, offset)) as [Uint16Array, Uint16Array, Uint16Array];
      const [bitsX, bitsM, bitsZ] = halves as [Uint16Array, Uint16Array, Uint16Array];
      const results = scheduler.step(m, x, 500, { eta: 1, varianceNoise: z, returnDict: true });
      const expected = scheduler.step(bitsM, bitsX, 500, { eta: 1, varianceNoise: bitsZ, returnDict: true });
      for (const name of ["prevSample", "predOriginalSample"] as const) {
        assert.instance(results[name], Float16Array);
        assert.equal(bitsOf(results[name]), bitsOf(expected[name]), `${name}, ${length} from ${offset} on`);
      }
      assert.equal(bitsOf(scheduler.addNoise(x, z, 500)), bitsOf(scheduler.addNoise(bitsX, bitsZ, 500)));
    }
  }
});

test("a part of a buffer as out: nothing beside it is written", () => {
  for (const length of LENGTHS) {
    const [bitsX, bitsM] = [normalData(1, length, "float16"), normalData(2, length, "float16")];
    const [x, out] = [toFloat16(bitsX, 3), toFloat16(new Uint16Array(length), 5)];
    assert.is(scheduler.step(bitsM, x, 500, { out }), out);
    assert.equal(bitsOf(out), bitsOf(scheduler.step(bitsM, bitsX, 500)));
    const whole = new Uint16Array(out.buffer);
    for (const i of [0, 4, length + 5, length + 7]) assert.is(whole[i], 0x7e00);
    new Generator(5).randn([length], { out });
    assert.equal(bitsOf(out), new Generator(5).randn([length], { type: "float16" }).data);
  }
});

test("an array whose buffer is gone is refused", () => {
  const [lost, right] = [toFloat16(normalData(1, 7, "float16"), 3), toFloat16(normalData(2, 7, "float16"), 3)];
  structuredClone(lost.buffer, { transfer: [lost.buffer as ArrayBuffer] });
  assert.throws(() => scheduler.step(right, lost, 500), /^"sample" expected values in memory, got a detached array/);
  const tensor = { data: lost, dims: [7] };
  assert.throws(() => scheduler.step(tensor, right, 500), /^"modelOutput" expected values in memory/);
});

test("tensors with dims, resident tensors beside them, and a run", async () => {
  const bits = normalData(1, 24, "float16");
  const sample = { data: toFloat16(bits, 7), dims: [2, 12], type: "float16" as const };
  const inside = allocate([2, 12], "float16");
  inside.data.set(bits);
  const expected = bitsOf(scheduler.step(bits, bits, 500));
  assert.equal(bitsOf(scheduler.step(inside, sample, 500).data), expected.slice());
  const pipeline = new DiffusionPipeline({ scheduler, model: (x: typeof sample) => x });
  const result = await pipeline.run({ sample, numInferenceSteps: 3 });
  assert.instance(result.data, Float16Array);
  const plain = { data: bits, dims: [2, 12], type: "float16" as const };
  const twin = new DiffusionPipeline({ scheduler, model: (x: typeof plain) => x });
  assert.equal(bitsOf(result.data), bitsOf((await twin.run({ sample: plain, numInferenceSteps: 3 })).data));
  inside.free();
});

test.run();
