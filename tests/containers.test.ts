// What a tensor may be, and where it may lie: containers come out as they went in, `out` may be any memory that the
// inputs use, and code of the user's that runs in the middle of a call disturbs nothing.

import * as fc from "./fast-check.js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { runInNewContext } from "node:vm";
import type { DDIMSchedulerOptions, StepOptions, StepResult } from "ddim-wasm";
import { implementations } from "./implementations.js";
import { assertSameBits, type Data, type DType, emptyData, normalData, normalTensor } from "./tensors.js";

const { DDIMInverseScheduler, DDIMScheduler, Generator, allocate } = implementations.simd;

/** Elements of a tensor of two batch elements that takes three staged pieces, the last an odd one. */
const LENGTH = 40002;

const TYPES = ["float32", "float16"] as const;

/** What the containers of this file have in common. */
interface Container {
  readonly data: Data;
  readonly dims: readonly number[];
  readonly type?: string;
}

function makeScheduler(options: DDIMSchedulerOptions = {}) {
  const scheduler = new DDIMScheduler(options);
  scheduler.setTimesteps(20);
  return scheduler;
}

/** Tensors as onnxruntime makes them: the type may be left out, and it, the data and the dims are checked. */
class OnnxTensor implements Container {
  readonly #data: Data;
  readonly type: string;
  readonly dims: readonly number[];
  readonly size: number;

  constructor(data: Data, dims?: readonly number[]);
  constructor(type: string, data: Data, dims?: readonly number[]);
  constructor(...args: unknown[]) {
    const inferred = args[0] instanceof Float32Array ? "float32" : "uint16";
    const [type, data, dims = [data.length]] = (typeof args[0] === "string" ? args : [inferred, ...args]) as [
      type: string,
      data: Data,
      dims: readonly number[] | undefined,
    ];
    const expected = { float32: Float32Array, float16: Uint16Array, uint16: Uint16Array }[type];
    if (!expected || !(data instanceof expected)) throw new TypeError(`a ${type} tensor's data is of another class`);
    this.size = dims.reduce((product, size) => product * size, 1);
    if (this.size !== data.length) throw new Error(`dims [${dims}] do not fit ${data.length} values`);
    this.#data = data;
    this.type = type;
    this.dims = dims;
  }

  get data(): Data {
    return this.#data;
  }
}

/** Tensors as transformers.js makes them: a proxy of an object that holds one of onnxruntime's. */
class TransformersTensor implements Container {
  readonly ort_tensor: OnnxTensor;

  constructor(...args: [OnnxTensor] | [string, Data, readonly number[]]) {
    this.ort_tensor = args.length === 1 ? args[0] : new OnnxTensor(...args);
    return new Proxy(this, {
      get(tensor, key) {
        const index = typeof key === "string" ? Number(key) : NaN;
        return Number.isInteger(index) ? tensor.data[index] : Reflect.get(tensor, key, tensor);
      },
    });
  }

  get data(): Data {
    return this.ort_tensor.data;
  }
  get dims(): readonly number[] {
    return this.ort_tensor.dims;
  }
  get type(): string {
    return this.ort_tensor.type;
  }
}

class Latents extends OnnxTensor {}

const FOREIGN = "an array of another realm";
const foreign: { Float32Array: typeof Float32Array; Uint16Array: typeof Uint16Array; Object: typeof Object } =
  runInNewContext("({ Float32Array, Uint16Array, Object })");

/** Copies of `data` in memory of another kind. */
const ARRAYS: Record<string, (data: Data) => Data> = {
  "an array": (data) => data.slice(),
  "a subarray at an odd offset": (data) => {
    const whole = emptyData(data.length + 7, typeOf(data))
      .fill(7)
      .subarray(3);
    whole.set(data);
    return whole.subarray(0, data.length);
  },
  "an array in shared memory": (data) => {
    const shared = new SharedArrayBuffer(data.byteLength);
    const copy = data instanceof Float32Array ? new Float32Array(shared) : new Uint16Array(shared);
    copy.set(data);
    return copy;
  },
  [FOREIGN]: (data) => (data instanceof Float32Array ? new foreign.Float32Array(data) : new foreign.Uint16Array(data)),
};

/** A way of making a container, and what tells one that comes out; its data and dims are looked at besides. */
interface Kind {
  make(data: Data, dims: number[]): Container;
  isOne(result: object): boolean;
}

const PLAIN: Record<string, Kind> = {
  "{ data, dims }": {
    make: (data, dims) => ({ data, dims }),
    isOne: (result) => Object.getPrototypeOf(result) === Object.prototype,
  },
  "{ data, dims, type }": {
    make: (data, dims) => Object.freeze({ data, dims: Object.freeze(dims), type: typeOf(data) }),
    isOne: (result) => Object.getPrototypeOf(result) === Object.prototype,
  },
  "an object without a prototype": {
    make: (data, dims) => Object.assign(Object.create(null), { data, dims }),
    isOne: (result) => Object.keys(result).join() === "data,dims,type",
  },
  "an object of another realm": {
    make: (data, dims) => Object.assign(new foreign.Object(), { data, dims }),
    isOne: (result) => Object.keys(result).join() === "data,dims,type",
  },
};

/** These take arrays of their own realm only. */
const CLASSES: Record<string, Kind> = {
  "onnxruntime's Tensor": {
    make: (data, dims) => new OnnxTensor(typeOf(data), data, dims),
    isOne: (result) => Object.getPrototypeOf(result) === OnnxTensor.prototype,
  },
  "transformers.js' Tensor": {
    make: (data, dims) => new TransformersTensor(typeOf(data), data, dims),
    isOne: (result) => Object.getPrototypeOf(result) === TransformersTensor.prototype,
  },
  "a class derived from them": {
    make: (data, dims) => new Latents(typeOf(data), data, dims),
    isOne: (result) => Object.getPrototypeOf(result) === Latents.prototype,
  },
};

function typeOf(data: Data): DType {
  return data.BYTES_PER_ELEMENT === 2 ? "float16" : "float32";
}

/** Every result that a sample `x` and another input `m` lead to, as step and the rest return them. */
function everyResult<T extends Container | Data>(x: T, m: T, timesteps: number[]): T[] {
  const scheduler = makeScheduler({ clipSampleRange: 0.7 });
  const { prevSample, predOriginalSample } = scheduler.step(m, x, timesteps, {
    eta: 0.5,
    varianceNoise: x,
    returnDict: true,
  });
  return [
    scheduler.step(m, x, timesteps),
    prevSample,
    predOriginalSample,
    scheduler.addNoise(x, m, timesteps),
    scheduler.getVelocity(x, m, timesteps),
  ] as T[];
}

for (const type of TYPES) {
  const dims = [2, 3, 5];
  const [x, m] = [normalData(1, 30, type), normalData(2, 30, type)];
  const expected = everyResult(x, m, [950, 700]);

  test(`${type}: results of bare arrays are new arrays`, () => {
    for (const [i, result] of expected.entries()) {
      assert.is(Object.getPrototypeOf(result), type === "float32" ? Float32Array.prototype : Uint16Array.prototype);
      assert.is(result.buffer.byteLength, x.byteLength, "an array of its own memory");
      for (const other of [x, m, ...expected.slice(0, i)]) assert.is.not(result.buffer, other.buffer);
    }
  });

  for (const [memory, place] of Object.entries(ARRAYS)) {
    test(`${type}: ${memory} counts as any other`, () => {
      const results = everyResult(place(x), place(m), [950, 700]);
      for (const [i, result] of results.entries()) {
        assert.is(Object.prototype.toString.call(result), Object.prototype.toString.call(x));
        assertSameBits(result, expected[i]!);
      }
    });

    const kinds = memory === FOREIGN ? PLAIN : { ...PLAIN, ...CLASSES };
    for (const [kind, { make, isOne }] of Object.entries(kinds)) {
      test(`${type}: ${kind} with ${memory} comes out as one`, () => {
        const [sample, modelOutput] = [make(place(x), [...dims]), make(place(m), [...dims])];
        for (const [i, result] of everyResult(sample, modelOutput, [950, 700]).entries()) {
          assert.ok(isOne(result), `result ${i} is one`);
          assert.equal(Array.from(result.dims), dims);
          assert.is.not(result.dims, sample.dims);
          assert.is(result.type, type);
          assertSameBits(result.data, expected[i]!);
          assert.is.not(result.data.buffer, sample.data.buffer);
        }
      });
    }
  }
}

const { Float16Array } = globalThis as { Float16Array?: new (buffer: ArrayBufferLike) => Uint16Array };
if (Float16Array) {
  test("Float16Array comes out as Float16Array", () => {
    const halves = (seed: number) => normalData(seed, 30, "float16");
    const expected = everyResult(halves(1), halves(2), [950, 700]);
    const results = everyResult(new Float16Array(halves(1).buffer), new Float16Array(halves(2).buffer), [950, 700]);
    for (const [i, result] of results.entries()) {
      assert.instance(result, Float16Array);
      assertSameBits(new Uint16Array(result.buffer), expected[i]!);
    }
  });
} else {
  console.log("Skipped: Float16Array comes out as Float16Array. This engine has none.");
}

test("the sample alone decides what comes out", () => {
  const [x, m] = [normalTensor(1, [2, 3]), normalTensor(2, [2, 3])];
  const scheduler = makeScheduler();
  const onnx = new OnnxTensor("float32", m.data, [2, 3]);
  assert.instance(scheduler.step(onnx, x.data as Float32Array, 950), Float32Array);
  assert.is(Object.getPrototypeOf(scheduler.step(onnx, x, 950)), Object.prototype);
  assert.instance(scheduler.step(m.data, onnx, 950), OnnxTensor);
  assert.instance(scheduler.addNoise(onnx, x, 950), OnnxTensor);
  assert.is(scheduler.scaleModelInput(onnx, 950), onnx);
});

test("timesteps are numbers, bigints, or arrays of either", () => {
  const [x, m] = [normalTensor(1, [3, 5]), normalTensor(2, [3, 5])];
  const scheduler = makeScheduler();
  const expected = scheduler.step(m, x, [950, 950, 950]).data;
  const same = [950, 950n, Int32Array.of(950, 950, 950), BigInt64Array.of(950n, 950n, 950n), [950n, 950n, 950n]];
  for (const timesteps of same) assertSameBits(scheduler.step(m, x, timesteps).data, expected);
});

test("a bare sample has as many batch elements as there are timesteps", () => {
  const scheduler = makeScheduler({ thresholding: true, sampleMaxValue: 5 });
  const [x, m] = [normalTensor(1, [2, 30]), normalTensor(2, [2, 30])];
  assertSameBits(scheduler.step(m, x.data, [950, 900]), scheduler.step(m, x, [950, 900]).data);
  const flat = ({ data }: Container) => ({ data, dims: [1, 60] });
  assertSameBits(scheduler.step(m.data, x.data, 950), scheduler.step(flat(m), flat(x), 950).data);
});

test("a batch of 0 gives an empty result and draws nothing", () => {
  for (const type of TYPES) {
    for (const config of [{}, { thresholding: true }, { computeDtype: "float16" }] as const) {
      const scheduler = makeScheduler(config);
      const generator = new Generator(3);
      const state = generator.getState();
      const none = new OnnxTensor(type, emptyData(0, type), [0, 4]);
      for (const timestep of [950, []]) {
        for (const options of [{ eta: 1, generator }, { eta: 1, generator: [] }, { guidanceScale: 3 }]) {
          const { prevSample, predOriginalSample } = scheduler.step(none, none, timestep, {
            ...options,
            returnDict: true,
          });
          for (const result of [prevSample, predOriginalSample]) {
            assert.instance(result, OnnxTensor);
            assert.is.not(result, none);
            assert.equal([result.data.length, result.dims, result.type], [0, [0, 4], type]);
          }
        }
        assert.is(scheduler.addNoise(none, none, timestep, { out: none }), none);
      }
      assert.is(scheduler.step(emptyData(0, type), emptyData(0, type), []).length, 0);
      assert.equal(generator.getState(), state);
    }
  }
});

test("dims of any rank, in any array, come out", () => {
  const scheduler = makeScheduler();
  for (const dims of [[6], [6, 1], [1, 2, 3], [2, 1, 1, 3, 1, 1], Int32Array.of(2, 3), Object.freeze([3, 2])]) {
    const tensor = { data: normalData(1, 6), dims: dims as readonly number[] };
    const result = scheduler.step(tensor, tensor, 950);
    assert.equal(result.dims, Array.from(dims));
  }
});

// ---- out

/** A call of step or the rest, with tensors by role, in settings that differ in what is read when. */
interface Roles {
  sample: Data;
  modelOutput: Data;
  varianceNoise: Data;
}
type Call = (roles: Roles, out: Data | undefined) => Data[];

/** Calls on a batch of 2 with different coefficients. */
function makeCalls(length: number): Record<string, { guided: boolean; call: Call }> {
  const dims = [2, length / 2];
  const stepCall = (config: DDIMSchedulerOptions, options: StepOptions, timestep: number | number[]) => {
    const guided = options.guidanceScale !== undefined;
    const call: Call = ({ sample, modelOutput, varianceNoise }, out) => {
      const result = makeScheduler(config).step(
        { data: modelOutput, dims: guided ? [4, length / 2] : dims },
        { data: sample, dims },
        timestep,
        {
          ...options,
          ...(options.eta ? { varianceNoise: { data: varianceNoise, dims } } : {}),
          out: out && { data: out, dims },
        },
      ) as Container | StepResult<Container>;
      const results = "prevSample" in result ? [result.prevSample, result.predOriginalSample] : [result];
      return results.map(({ data }) => data);
    };
    return { guided, call };
  };
  return {
    "a step": stepCall({ clipSample: false }, {}, 950),
    "a step that clips": stepCall({}, { useClippedModelOutput: true, returnDict: true }, [950, 400]),
    "a step with noise": stepCall({ predictionType: "v_prediction" }, { eta: 1, returnDict: true }, 500),
    "a step with thresholding": stepCall({ thresholding: true, sampleMaxValue: 3 }, { eta: 1 }, 500),
    "a step with guidance": stepCall({ clipSample: false }, { guidanceScale: 5, returnDict: true }, [950, 400]),
    "a step with all of it": stepCall(
      { thresholding: true, sampleMaxValue: 3 },
      { guidanceScale: 5, guidanceRescale: 0.7, eta: 0.5, returnDict: true },
      [950, 400],
    ),
    "a step with halves for floats": stepCall({ computeDtype: "float16" }, { guidanceScale: 5, eta: 1 }, 950),
    "an inverse step": {
      guided: false,
      call: ({ sample, modelOutput }, out) => {
        const inverse = new DDIMInverseScheduler();
        inverse.setTimesteps(20);
        return [inverse.step(modelOutput, sample, [50, 600], { out }) as Data];
      },
    },
    addNoise: {
      guided: false,
      call: ({ sample, modelOutput }, out) => [
        makeScheduler().addNoise(sample, modelOutput, [950, 400], { out }) as Data,
      ],
    },
    getVelocity: {
      guided: false,
      call: ({ sample, modelOutput }, out) => [makeScheduler().getVelocity(sample, modelOutput, 950, { out }) as Data],
    },
  };
}

/** Views of one buffer that begin where `starts` says, filled with normal values; and copies of them. */
function makeRoles(whole: Data, length: number, guided: boolean, starts: Record<keyof Roles | "out", number>) {
  const view = (start: number, count: number) => whole.subarray(start, start + count);
  const roles: Roles = {
    sample: view(starts.sample, length),
    modelOutput: view(starts.modelOutput, guided ? 2 * length : length),
    varianceNoise: view(starts.varianceNoise, length),
  };
  const copies: Roles = {
    sample: roles.sample.slice(),
    modelOutput: roles.modelOutput.slice(),
    varianceNoise: roles.varianceNoise.slice(),
  };
  return { roles, copies, out: view(starts.out, length) };
}

function assertSameResults(actual: Data[], expected: Data[]): void {
  assert.is(actual.length, expected.length);
  for (const [i, result] of actual.entries()) assertSameBits(result, expected[i]!, `result ${i}`);
}

/** Where inputs lie that are side by side, in lengths of a tensor; one before and one after leave room for `out`. */
const SIDE_BY_SIDE = { sample: 1, modelOutput: 2, conditional: 3, varianceNoise: 4 };
const SHIFTS = [0, 1, -1, 3, -3, 100, -100, 16400, -16400];

for (const type of TYPES) {
  const length = LENGTH;
  for (const [name, { guided, call }] of Object.entries(makeCalls(length))) {
    test(`${type}: ${name} into memory of an input, or partly so, gives what it gives into other memory`, () => {
      const filled = normalData(1, 6 * length, type);
      for (const place of Object.values(SIDE_BY_SIDE)) {
        for (const shift of SHIFTS) {
          const whole = filled.slice();
          const { roles, copies, out } = makeRoles(whole, length, guided, {
            sample: SIDE_BY_SIDE.sample * length,
            modelOutput: SIDE_BY_SIDE.modelOutput * length,
            varianceNoise: SIDE_BY_SIDE.varianceNoise * length,
            out: place * length + shift,
          });
          const expected = call(copies, undefined);
          const before = whole.slice();
          assertSameResults(call(roles, out), expected);
          before.set(out, place * length + shift);
          assertSameBits(whole, before, "the memory around out");
        }
      }
    });
  }
}

test("inputs and out anywhere in one memory give what copies of them give", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...TYPES),
      fc.constantFrom(2, 6, 32, 38, 1000, 16400, 16406, 32802),
      fc.constantFrom(...Object.keys(makeCalls(2))),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 4, maxLength: 4 }),
      fc.boolean(),
      (type, length, name, places, shared) => {
        const { guided, call } = makeCalls(length)[name]!;
        const own = normalData(length, 3 * length, type);
        const whole = shared ? ARRAYS["an array in shared memory"]!(own) : own;
        const [sample, modelOutput, varianceNoise, start] = places.map((place, i) =>
          Math.round(place * length * (i === 1 && guided ? 1 : 2)),
        ) as [number, number, number, number];
        const { roles, copies, out } = makeRoles(whole, length, guided, {
          sample,
          modelOutput,
          varianceNoise,
          out: start,
        });
        const expected = call(copies, undefined);
        assertSameResults(call(roles, out), expected);
      },
    ),
    { seed: 1, numRuns: 400 },
  );
});

test("out is what is returned, whatever it is; the predicted original sample is always new", () => {
  const scheduler = makeScheduler();
  const [x, m] = [normalTensor(1, [2, 3]), normalTensor(2, [2, 3])];
  const expected = scheduler.step(m, x, 950, { returnDict: true });
  const outs = [
    emptyData(6),
    emptyData(7, "float32", 3).subarray(0, 6),
    { data: emptyData(6), dims: [2, 3] },
    Object.freeze({ data: emptyData(6), dims: Object.freeze([2, 3]), type: "float32" }),
    new OnnxTensor("float32", emptyData(6), [2, 3]),
    new TransformersTensor("float32", emptyData(6), [2, 3]),
    allocate([2, 3]),
  ];
  const dataOf = (tensor: Data | Container) => ("data" in tensor ? tensor.data : tensor);
  for (const out of outs) {
    for (const sample of [x, x.data, new OnnxTensor("float32", x.data, [2, 3])]) {
      assert.is(scheduler.step(m, sample, 950, { out }), out);
      const { prevSample, predOriginalSample } = scheduler.step(m, sample, 950, { out, returnDict: true });
      assert.is(prevSample, out);
      assertSameBits(dataOf(prevSample), expected.prevSample.data);
      assertSameBits(dataOf(predOriginalSample), expected.predOriginalSample.data);
      for (const other of [x.data, m.data, dataOf(out)]) {
        assert.is.not(dataOf(predOriginalSample).buffer, other.buffer);
      }
      assert.is(scheduler.addNoise(sample, m, 950, { out }), out);
      assert.is(scheduler.getVelocity(sample, m, 950, { out }), out);
    }
  }
  const inPlace = scheduler.step(m, x, 950, { out: x, returnDict: true });
  assert.is(inPlace.prevSample, x);
  assert.is.not(inPlace.predOriginalSample.data.buffer, x.data.buffer);
});

// ---- code of the user's that runs in the middle of a call

/** `object` with accessors for properties: `onRead` is called whenever one is read. */
function watch<T extends object>(object: T, onRead: (key: string) => void): T {
  const watched = Object.create(Object.getPrototypeOf(object));
  for (const [key, value] of Object.entries(object)) {
    Object.defineProperty(watched, key, {
      enumerable: true,
      get() {
        onRead(key);
        return value;
      },
    });
  }
  return watched;
}

/** A call that reads every property it can, each of which reports to `onRead`, and what it gives. */
function callAll(
  onRead: (key: string) => void,
  sampleOf: (tensor: Container, onRead: (key: string) => void) => Container = watch,
): Data[] {
  const scheduler = makeScheduler({ thresholding: true, sampleMaxValue: 3 });
  const watchIn = <T extends object>(role: string, object: T) => watch(object, (key) => onRead(`${role}.${key}`));
  const dims = [3, 7000];
  const sample = sampleOf(normalTensor(1, dims), (key) => onRead(`sample.${key}`));
  const modelOutput = watchIn("modelOutput", normalTensor(2, [6, 7000]));
  const generator = [4, 5, 6].map((seed) => new Generator(seed));
  const timestep = watchIn("timestep", [950, 900, 850]);
  Object.defineProperty(timestep, "length", { value: 3 });
  const options = { eta: 0.5, guidanceScale: 3, useClippedModelOutput: false, returnDict: true as const };
  const drawn = scheduler.step(modelOutput, sample, timestep, watchIn("options", { ...options, generator }));

  const out = watchIn("out", normalTensor(7, dims));
  const varianceNoise = watchIn("varianceNoise", normalTensor(3, dims));
  const given = scheduler.step(
    modelOutput,
    sample,
    timestep,
    watchIn("options", { ...options, varianceNoise, out, prevTimestep: 100, guidanceRescale: 0.5 }),
  ) as StepResult<Container, Container>;
  const noisy = scheduler.addNoise(sample, varianceNoise, timestep, watchIn("addNoise's options", { out: undefined }));
  return [
    drawn.prevSample.data,
    drawn.predOriginalSample.data,
    given.prevSample.data,
    given.predOriginalSample.data,
    noisy.data,
    ...generator.map((each) => each.randn([16]).data),
  ] as Data[];
}

test("each property of options and tensors is read once a call", () => {
  const tensors = ["data", "dims", "type"];
  const expected: Record<string, string[]> = {
    sample: tensors,
    modelOutput: tensors,
    varianceNoise: tensors,
    out: tensors,
    options: ["eta", "generator", "returnDict", "out"],
  };
  for (const [role, keys] of Object.entries(expected)) {
    const reads: Record<string, number> = {};
    const watchRole = <T extends object>(name: string, object: T) =>
      name !== role ? object : watch(object, (key) => (reads[key] = (reads[key] ?? 0) + 1));
    const scheduler = makeScheduler();
    const options = { eta: 1, generator: undefined, guidanceScale: undefined, returnDict: true };
    const varianceNoise = watchRole("varianceNoise", normalTensor(3, [2, 3]));
    const out = watchRole("out", normalTensor(4, [2, 3]));
    scheduler.step(
      watchRole("modelOutput", normalTensor(1, [2, 3])),
      watchRole("sample", normalTensor(2, [2, 3])),
      950,
      watchRole("options", { ...options, varianceNoise, out }),
    );
    for (const key of keys) assert.is(reads[key], 1, `${role}.${key}`);
    for (const [key, count] of Object.entries(reads)) assert.is(count, 1, `${role}.${key}`);
  }
});

test("a property that calls the library while it is read disturbs neither call", () => {
  const other = makeScheduler({ predictionType: "v_prediction", clipSampleRange: 0.5 });
  const interlude = () => {
    const generator = new Generator(8);
    const sample = normalTensor(9, [4, 5000]);
    const { prevSample } = other.step(normalTensor(10, [8, 5000]), sample, [900, 700, 500, 300], {
      eta: 1,
      guidanceScale: 2,
      generator,
      returnDict: true,
    });
    return [prevSample.data, generator.randn([17]).data] as Data[];
  };
  const expected = callAll(() => {});
  const expectedInterlude = interlude();
  const keys = new Set<string>();
  callAll((key) => keys.add(key));
  assert.ok(keys.size >= 25, `${keys.size} properties are read`);
  for (const key of keys) {
    let times = 0;
    const results = callAll((read) => {
      if (read !== key) return;
      times++;
      assertSameResults(interlude(), expectedInterlude);
    });
    assert.ok(times > 0);
    assertSameResults(results, expected);
  }
});

test("a tensor class that calls the library while one is made disturbs neither call", () => {
  const other = makeScheduler({ thresholding: true });
  const interlude = () => other.step(normalData(8, 20000), normalData(9, 20000), [900, 700, 500, 300]);
  const expectedInterlude = interlude();
  let made = 0;
  class Busy extends OnnxTensor {
    constructor(type: string, data: Data, dims: readonly number[]) {
      super(type, data, dims);
      made++;
      assertSameBits(interlude(), expectedInterlude);
    }
  }
  const expected = callAll(() => {});
  const results = callAll(
    () => {},
    ({ data, dims, type }: Container) => new Busy(type!, data, dims),
  );
  assert.ok(made > 3);
  assertSameResults(results, expected);
});

test("a property that throws while it is read leaves everything as it was", () => {
  const expected = callAll(() => {});
  const thrown = new Error("no");
  for (const key of ["sample.data", "modelOutput.dims", "timestep.1", "options.generator", "out.type"]) {
    try {
      callAll((read) => {
        if (read === key) throw thrown;
      });
      assert.unreachable(`${key} is read`);
    } catch (error) {
      assert.is(error, thrown);
    }
    assertSameResults(
      callAll(() => {}),
      expected,
    );
  }
});

test.run();
