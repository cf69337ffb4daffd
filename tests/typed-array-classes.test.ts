// Typed arrays of classes derived from the engine's, and ones that say what is not so about themselves: only what they
// are counts, and none of their own code runs.

import type { DType } from "ddim-wasm";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { implementations, pipelineOf } from "./implementations.js";
import { assertSameBits, type Data, emptyData, normalData } from "./tensors.js";

/** Values as the types do not know them. */
type Any = any;

const { allocate, DDIMInverseScheduler, DDIMScheduler, Generator, latentToRgb, SD1_LATENT_RGB } = implementations.simd;
const Pipeline = pipelineOf(implementations.simd);

function makeScheduler(options: object = {}): Any {
  const scheduler = new DDIMScheduler(options);
  scheduler.setTimesteps(20);
  return scheduler;
}

/** What ran of the classes' own code. */
const ran: string[] = [];
const other = makeScheduler();

/** Notes that code ran, and calls the library in the middle of the call that ran it. */
function run(what: string): void {
  ran.push(what);
  other.step(new Float32Array(100).fill(55), new Float32Array(100).fill(66), 500);
}

const METHODS = ["set", "subarray", "slice", "fill", "map", "reduce", "findIndex", "forEach", "values"];

/** A class derived from `Base` that has a species and methods of its own, which do what they should. */
function derive(Base: Any): Any {
  class Derived extends Base {
    static get [Symbol.species]() {
      run("species");
      return Base;
    }
    get [Symbol.iterator]() {
      run("iterator");
      return super[Symbol.iterator];
    }
  }
  for (const method of METHODS) {
    Derived.prototype[method] = function (...args: unknown[]) {
      run(method);
      return Base.prototype[method].apply(this, args);
    };
  }
  return Derived;
}

const DERIVED = { float32: derive(Float32Array), float16: derive(Uint16Array) };

/** A copy of values in an array of another class. */
function convert(data: Data, Class: Any): Any {
  const copy = new Class(data.length);
  const Base = data instanceof Float32Array ? Float32Array : Uint16Array;
  Base.prototype.set.call(copy, data);
  return copy;
}

/** Calls with every kind of input, each made by `make`, and all that they give. */
function everyResult(make: (data: Data) => Any, length: number, type: DType): Data[] {
  const dims = [2, length / 2];
  const [x, m, z] = [1, 2, 3].map((seed) => normalData(seed, length, type)) as [Data, Data, Data];
  const doubled = normalData(4, 2 * length, type);
  const tensor = (data: Data, times = 1) => ({ data: make(data), dims: [times * dims[0]!, dims[1]!] });
  const out = () => make(emptyData(length, type));
  const results: unknown[] = [];
  for (const config of [
    { clipSample: false },
    { thresholding: true, sampleMaxValue: 3 },
    { computeDtype: "float16" },
  ]) {
    const scheduler = makeScheduler(config);
    const { prevSample, predOriginalSample } = scheduler.step(make(m), make(x), [950, 400], { returnDict: true });
    const guidance = { guidanceScale: 3, guidanceRescale: 0.5 };
    results.push(
      prevSample,
      predOriginalSample,
      scheduler.step(make(m), make(x), 950, { out: out() }),
      scheduler.step(tensor(m), tensor(x), 950, { eta: 1, varianceNoise: tensor(z), out: out() }),
      scheduler.step(make(m), make(x), 950, { eta: 1, generator: new Generator(5), out: out() }),
      scheduler.step(tensor(doubled, 2), tensor(x), [950, 400], { ...guidance, out: out() }),
    );
  }
  const scheduler = makeScheduler();
  const inverse: Any = new DDIMInverseScheduler();
  inverse.setTimesteps(20);
  // Views of one memory, of which the sample is copied: the result would be stored over what has not been read.
  const whole = make(normalData(6, length + 5, type));
  const view = (start: number) => new whole.constructor(whole.buffer, start * x.BYTES_PER_ELEMENT, length);
  results.push(
    scheduler.step(make(m), view(0), 500, { out: view(5) }),
    scheduler.addNoise(make(x), make(z), 500, { out: out() }),
    scheduler.getVelocity(tensor(x), make(z), 500),
    inverse.step(make(m), make(x), 500, { out: out() }),
    new Generator(7).randn(dims, { type, out: out() }).data,
    new Generator(7).rand(dims, { type, out: tensor(emptyData(length, type)) }).data,
  );
  return results.map((result: Any) => result.data ?? result);
}

/** Fails unless results are as expected, whatever class they are of. */
function assertSameResults(actual: Data[], expected: Data[]): void {
  assert.is(actual.length, expected.length);
  const plain = (data: Data) =>
    data.BYTES_PER_ELEMENT === 4
      ? new Float32Array(data.buffer, data.byteOffset, data.byteLength / 4)
      : new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2);
  actual.forEach((result, i) => assertSameBits(plain(result), plain(expected[i]!), `result ${i}`));
}

for (const type of ["float32", "float16"] as const) {
  // One piece, and three, the last an odd one.
  for (const length of [30, 40002]) {
    test(`arrays of a derived class: right results, and none of their code runs: ${length} of ${type}`, () => {
      const expected = everyResult((data) => data.slice(), length, type);
      ran.length = 0;
      const results = everyResult((data) => convert(data, DERIVED[type]), length, type);
      assertSameResults(results, expected);
      assert.equal([...new Set(ran)], []);
    });
  }
}

test("a run, and a look at latents, of arrays of a derived class", async () => {
  const dims = [1, 4, 50, 100];
  const [image, noise] = [normalData(1, 20000), normalData(2, 20000)];
  const weights = image.map((value) => (value > 0 ? 1 : 0)) as Data;
  const imagine = (make: (data: Data) => Any) => {
    const pipeline = new Pipeline({
      scheduler: new DDIMScheduler(),
      model: (sample: Any) => ({ data: make(normalData(3, 20000)), dims: sample.dims }),
    });
    const tensor = (data: Data) => ({ data: make(data), dims });
    const inputs = { sample: tensor(noise), mask: tensor(weights), known: tensor(image) };
    return pipeline.run({ ...inputs, numInferenceSteps: 2, checkFinite: true, generator: new Generator(1) });
  };
  const expected = await imagine((data) => data.slice());
  const pixels = latentToRgb({ data: image, dims }, SD1_LATENT_RGB);
  ran.length = 0;
  const derived = (data: Data) => convert(data, DERIVED.float32);
  assertSameBits((await imagine(derived)).data, expected.data);
  assert.equal(latentToRgb({ data: derived(image), dims }, SD1_LATENT_RGB), pixels);
  assert.equal([...new Set(ran)], []);
});

// ---- lies

/** Arrays of 6 values that say something else of themselves. */
const LIES: Record<string, (array: Any) => Any> = {
  "a length that is too large": (array) => Object.defineProperty(array, "length", { value: 100 }),
  "a length that is too small": (array) => Object.defineProperty(array, "length", { value: 1 }),
  "another byte length": (array) => Object.defineProperty(array, "byteLength", { value: 4 }),
  "another offset": (array) => Object.defineProperty(array, "byteOffset", { value: 8 }),
  "another buffer": (array) => Object.defineProperty(array, "buffer", { value: new ArrayBuffer(64) }),
  "another size of its elements": (array) => Object.defineProperty(array, "BYTES_PER_ELEMENT", { value: 2 }),
  "another name": (array) => Object.defineProperty(array, Symbol.toStringTag, { value: "Uint16Array" }),
  "the name of halves": (array) => Object.defineProperty(array, Symbol.toStringTag, { value: "Float16Array" }),
  "a name that no array has": (array) => Object.defineProperty(array, Symbol.toStringTag, { value: "Map" }),
  "another class": (array) => Object.setPrototypeOf(array, Uint16Array.prototype),
  "no class at all": (array) => Object.setPrototypeOf(array, null),
};

/** Leaves values in the library's buffers, which a call that reads too little would show. */
function leaveTraces(): void {
  other.step(new Float32Array(200).fill(55), new Float32Array(200).fill(66), 500);
}

for (const [lie, tell] of Object.entries(LIES)) {
  test(`an array with ${lie} is what it is`, () => {
    const scheduler = makeScheduler({ clipSample: false });
    const lying = (seed: number) => tell(normalData(seed, 6));
    const [x, m] = [normalData(1, 6), normalData(2, 6)];
    const plain = (array: Data) => new Float32Array(bytesOfAny(array).slice().buffer);
    const results = (make: (seed: number) => Any, out: Any) => {
      leaveTraces();
      return [
        scheduler.step(make(2), make(1), 500),
        scheduler.step({ data: make(2), dims: [2, 3] }, { data: make(1), dims: [2, 3] }, [900, 300]).data,
        scheduler.step(m, x, 500, { out }),
        scheduler.addNoise(make(1), make(2), 500),
        new Generator(3).randn([6], { out: make(4) }).data,
      ].map(plain);
    };
    const expected = results((seed) => normalData(seed, 6), emptyData(6));
    assert.equal(results(lying, tell(emptyData(6))), expected);
  });
}

/** The bytes of a typed array, whatever it says. */
function bytesOfAny(array: Data): Uint8Array {
  const { prototype } = Object.getPrototypeOf(Float32Array);
  const get = (key: string) => Object.getOwnPropertyDescriptor(prototype, key)!.get!.call(array);
  return new Uint8Array(get("buffer"), get("byteOffset"), get("byteLength"));
}

test("other arrays that call themselves Float32Array are refused", () => {
  const scheduler = makeScheduler();
  const pretend = (array: Any) => Object.defineProperty(array, Symbol.toStringTag, { value: "Float32Array" });
  const others = [
    new Float64Array(6),
    new Int32Array(6),
    new Uint8Array(24),
    new DataView(new ArrayBuffer(24)),
    {},
    [],
  ];
  for (const array of others) {
    const fake = pretend(array);
    for (const tensor of [fake, { data: fake, dims: [6] }]) {
      const out = emptyData(6).fill(7);
      assert.throws(
        () => scheduler.step(tensor, normalData(1, 6), 500, { out }),
        (error: unknown) => error instanceof TypeError && error.message.startsWith('"modelOutput'),
      );
      assert.ok(out.every((value) => value === 7));
    }
  }
});

test("bytes of a resident tensor that call themselves floats do not overwrite its neighbour", () => {
  const scheduler = makeScheduler();
  const [tensor, neighbour] = [allocate([16]), allocate([64])];
  neighbour.data.fill(7);
  const bytes = new Uint8Array(tensor.data.buffer, tensor.data.byteOffset, 64);
  const out: Any = Object.defineProperty(bytes, Symbol.toStringTag, { value: "Float32Array" });
  const [x, m] = [normalData(1, 64), normalData(2, 64)];
  const isRefused = (error: unknown) => error instanceof TypeError && error.message.startsWith('"out');
  const calls = [
    () => scheduler.step(m, x, 500, { out }),
    () => scheduler.addNoise(x, m, 500, { out: { data: out, dims: [64] } }),
    () => new Generator(1).randn([64], { out }),
  ];
  for (const call of calls) {
    assert.throws(call, isRefused);
    assert.ok(
      neighbour.data.every((value) => value === 7),
      "the neighbour was written to",
    );
    assert.ok(
      tensor.data.every((value) => value === 0),
      "out was written to",
    );
  }
  tensor.free();
  neighbour.free();
});

test.run();
