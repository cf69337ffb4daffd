// Options objects: what counts as one, and how it is read. Only their own properties count, each is read once, and what
// is no plain object is an error: a Map or a Promise has no option of its own, and would do nothing.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { runInNewContext } from "node:vm";
import { implementations, pipelineOf } from "./implementations.js";
import { normalTensor } from "./tensors.js";

/** Values as the types do not know them. */
type Any = any;

const { DDIMInverseScheduler, DDIMScheduler, Generator, latentToRgb, SD1_LATENT_RGB } = implementations.simd as Any;
const Pipeline = pipelineOf(implementations.simd);

const DIMS = [1, 4, 3, 5];
const x = normalTensor(1, DIMS);
const m = normalTensor(2, DIMS);
const doubled = normalTensor(3, [2, 4, 3, 5]);
const mask = { ...x, data: x.data.map((value) => (value > 0 ? 1 : 0)) };

function withSteps(scheduler: Any): Any {
  scheduler.setTimesteps(4);
  return scheduler;
}

const model = (sample: Any) => ({ data: sample.data.map((value: number) => value / 2), dims: sample.dims });
const pipeline = () => new Pipeline({ scheduler: new DDIMScheduler({ clipSample: false }), model });
const seeded = () => new Generator(7);

/** A call that takes options: what its errors call them, valid ones, as many as it can, and its result. */
interface Place {
  name: string;
  valid: () => object;
  /** Guided: the options have guidance. */
  call: (options: Any, guided: boolean) => unknown;
}

const schedulerOptions = () => ({
  numTrainTimesteps: 3,
  trainedBetas: [0.1, 0.2, 0.3],
  betaStart: 0.001,
  betaEnd: 0.1,
  betaSchedule: "linear",
  predictionType: "v_prediction",
  clipSample: false,
  clipSampleRange: 2,
  thresholding: false,
  sampleMaxValue: 2,
  dynamicThresholdingRatio: 0.9,
  rescaleBetasZeroSnr: true,
  timestepSpacing: "trailing",
  stepsOffset: 0,
  setAlphaToOne: false,
  previousTimestep: "schedule",
  computeDtype: "float32",
});

const guidance = { guidanceScale: 3, guidanceRescale: 0.5 };
const loop = () => ({ numInferenceSteps: 4, signal: { aborted: false }, checkFinite: true, onStep: () => {} });

const PLACES: Record<string, Place> = {
  "new DDIMScheduler": {
    name: "options",
    valid: schedulerOptions,
    call: (options) => new DDIMScheduler(options).toConfig(),
  },
  "new DDIMInverseScheduler": {
    name: "options",
    valid: schedulerOptions,
    call: (options) => new DDIMInverseScheduler(options).toConfig(),
  },
  "fromConfig's overrides": {
    name: "overrides",
    valid: schedulerOptions,
    call: (overrides) => DDIMScheduler.fromConfig({ beta_schedule: "sigmoid" }, overrides).toConfig(),
  },
  "fromConfig's reporting": {
    name: "reporting",
    valid: () => ({ onWarning: () => {} }),
    call: (reporting) => DDIMScheduler.fromConfig({ unknown: 1 }, {}, reporting).toConfig(),
  },
  "a step": {
    name: "options",
    valid: () => ({
      eta: 0.5,
      useClippedModelOutput: true,
      generator: seeded(),
      prevTimestep: 100,
      returnDict: true,
      out: normalTensor(4, DIMS),
      ...guidance,
    }),
    call: (options, guided) => withSteps(new DDIMScheduler()).step(guided ? doubled : m, x, 500, options),
  },
  "an inverse step": {
    name: "options",
    valid: () => ({ prevTimestep: 100, returnDict: true, out: normalTensor(4, DIMS), ...guidance }),
    call: (options, guided) => withSteps(new DDIMInverseScheduler()).step(guided ? doubled : m, x, 500, options),
  },
  addNoise: {
    name: "options",
    valid: () => ({ out: normalTensor(4, DIMS) }),
    call: (options) => new DDIMScheduler().addNoise(x, m, 500, options),
  },
  getVelocity: {
    name: "options",
    valid: () => ({ out: normalTensor(4, DIMS) }),
    call: (options) => new DDIMScheduler().getVelocity(x, m, 500, options),
  },
  randn: {
    name: "options",
    valid: () => ({ type: "float16", out: normalTensor(4, DIMS, "float16") }),
    call: (options) => seeded().randn(DIMS, options),
  },
  rand: {
    name: "options",
    valid: () => ({ type: "float32", out: normalTensor(4, DIMS) }),
    call: (options) => seeded().rand(DIMS, options),
  },
  latentToRgb: {
    name: "options",
    valid: () => ({ element: 0 }),
    call: (options) => latentToRgb(x, SD1_LATENT_RGB, options),
  },
  "new Pipeline": {
    name: "options",
    valid: () => ({ scheduler: new DDIMScheduler(), model }),
    call: (options) => new Pipeline(options).run({ dims: DIMS, generator: seeded(), numInferenceSteps: 2 }),
  },
  "a run": {
    name: "options",
    valid: () => ({
      ...loop(),
      sample: x,
      strength: 0.5,
      exactSteps: true,
      mask,
      known: x,
      knownNoise: "fresh",
      generator: seeded(),
      eta: 1,
      useClippedModelOutput: true,
      condition: ["a cat"],
      unconditional: "",
      ...guidance,
    }),
    call: (options) => pipeline().run(options),
  },
  "a run from noise": {
    name: "options",
    valid: () => ({ ...loop(), dims: DIMS, type: "float32", generator: seeded() }),
    call: (options) => pipeline().run(options),
  },
  "a stream": {
    name: "options",
    valid: () => ({ dims: DIMS, generator: seeded(), numInferenceSteps: 2, eta: 0.5 }),
    call: async (options) => {
      const reports = [];
      for await (const report of pipeline().stream(options)) reports.push(report);
      return reports;
    },
  },
  "an inversion": {
    name: "options",
    valid: () => ({ ...loop(), sample: x, refine: { iterations: 3 } }),
    call: (options) => pipeline().invert(options),
  },
  "an inversion's refine": {
    name: "refine",
    valid: () => ({ iterations: 3, tolerance: 0.1 }),
    call: (refine) => pipeline().invert({ sample: x, numInferenceSteps: 2, refine }),
  },
};

/** The error that `call` throws, or is rejected with. */
async function errorOf(call: () => unknown): Promise<Any> {
  try {
    await call();
  } catch (error) {
    return error;
  }
  return undefined;
}

class Fields {
  eta = 1;
  onWarning = () => {};
}
class Accessors {
  get eta() {
    return 1;
  }
}

/** What is no options object, whatever it holds. */
const OTHERS: Record<string, () => unknown> = {
  "a Map": () => new Map(Object.entries({ eta: 1 })),
  "a Set": () => new Set(["eta"]),
  "a promise of options": () => Promise.resolve({}),
  "an instance with accessors": () => new Accessors(),
  "an instance with fields": () => new Fields(),
  "an object with inherited options": () => Object.create({ eta: 1 }),
  "a date": () => new Date(0),
  "a generator": seeded,
  "a function": () => () => {},
  "another realm's Map": () => runInNewContext("new Map()"),
};

for (const [place, { name, call }] of Object.entries(PLACES)) {
  test(`${place}: what is no plain object is refused`, async () => {
    for (const [other, make] of Object.entries(OTHERS)) {
      const error = await errorOf(() => call(make(), false));
      assert.is(error?.constructor, TypeError, `${other}: ${error}`);
      assert.ok(error.message.startsWith(`"${name}" expected`), `${other}: ${error.message}`);
    }
  });
}

/** Options in plain objects of every kind. */
const PLAIN: Record<string, (options: object) => object> = {
  "without a prototype": (options) => Object.assign(Object.create(null), options),
  "of another realm": (options) => Object.assign(runInNewContext("({})"), options),
  "that is frozen": (options) => Object.freeze({ ...options }),
  "that has other properties which cannot be listed": (options) =>
    Object.defineProperty({ ...options, [Symbol("mine")]: 1 }, "mine", { value: 1, enumerable: false }),
  "with accessors of its own": (options) => counted(options, () => {}),
};

/** The options as accessors that report each reading. */
function counted(options: object, onRead: (key: string) => void): object {
  const result = {};
  for (const [key, value] of Object.entries(options)) {
    Object.defineProperty(result, key, {
      enumerable: true,
      configurable: true,
      get() {
        onRead(key);
        return value;
      },
    });
  }
  return result;
}

for (const [place, { valid, call }] of Object.entries(PLACES)) {
  test(`${place}: every plain object will do`, async () => {
    const expected = await call(valid(), true);
    for (const [kind, make] of Object.entries(PLAIN)) assert.equal(await call(make(valid()), true), expected, kind);
  });

  test(`${place}: each option is read once`, async () => {
    const reads: Record<string, number> = {};
    const options = counted(valid(), (key) => (reads[key] = (reads[key] ?? 0) + 1));
    await call(options, true);
    assert.equal(reads, Object.fromEntries(Object.keys(valid()).map((key) => [key, 1])));
  });
}

test("a configuration's keys are read once", () => {
  const config = new DDIMScheduler(schedulerOptions()).toConfig();
  const reads: Record<string, number> = {};
  const { config: read } = DDIMScheduler.fromConfig(counted(config, (key) => (reads[key] = (reads[key] ?? 0) + 1)));
  assert.equal(reads, Object.fromEntries(Object.keys(config).map((key) => [key, 1])));
  assert.equal(read, new DDIMScheduler(schedulerOptions()).config);
});

// ---- a prototype of all objects that somebody has added to

/** Names of options, and values that change what a call does; and a name that is no option. */
const POLLUTION = {
  eta: 1,
  returnDict: true,
  useClippedModelOutput: true,
  prevTimestep: 0,
  guidanceScale: 2,
  guidanceRescale: 1,
  out: normalTensor(9, DIMS),
  varianceNoise: normalTensor(9, DIMS),
  predictionType: "sample",
  betaSchedule: "sigmoid",
  trainedBetas: [0.5],
  thresholding: true,
  computeDtype: "float16",
  beta_schedule: "scaled_linear",
  prediction_type: "sample",
  element: 3,
  strength: 0.1,
  knownNoise: "fresh",
  checkFinite: 1,
  signal: { aborted: true },
  onStep: 1,
  refine: true,
  iterations: 1,
  tolerance: 100,
  condition: 1,
  stranger: 1,
};

/** What `call` gives while all objects inherit properties. */
async function polluted<T>(call: () => T | Promise<T>, properties: object = POLLUTION): Promise<T> {
  Object.assign(Object.prototype, properties);
  try {
    return await call();
  } finally {
    for (const key of Object.keys(properties)) delete (Object.prototype as Any)[key];
  }
}

test("an eta that all objects inherit adds no noise to a step", async () => {
  const scheduler = withSteps(new DDIMScheduler());
  const expected = scheduler.step(m, x, 500);
  for (const options of [undefined, {}, { useClippedModelOutput: false }]) {
    assert.equal(await polluted(() => scheduler.step(m, x, 500, options), { eta: 1 }), expected);
  }
});

/** Few options, of which defaults are to be had. */
const FEW: Record<string, object> = {
  "new DDIMScheduler": {},
  "new DDIMInverseScheduler": {},
  "fromConfig's overrides": {},
  "a step": {},
  "an inverse step": {},
  addNoise: {},
  getVelocity: {},
  randn: {},
  rand: {},
  latentToRgb: {},
  "a run from noise": { dims: DIMS, numInferenceSteps: 2 },
  "an inversion": { sample: x, numInferenceSteps: 2 },
  "an inversion's refine": {},
};

for (const [place, few] of Object.entries(FEW)) {
  test(`${place}: what all objects inherit is no option`, async () => {
    const { call } = PLACES[place]!;
    const own = () => (place === "a run from noise" ? { ...few, generator: seeded() } : few);
    const expected = await call(own(), false);
    const result = await polluted(async () => {
      try {
        return await call(own(), false);
      } catch (error) {
        return String(error);
      }
    });
    assert.equal(result, expected);
  });
}

test("options that are left out are not those that all objects inherit", async () => {
  const steps = () => [
    withSteps(new DDIMScheduler()).step(m, x, 500),
    withSteps(new DDIMInverseScheduler()).step(m, x, 500),
    new DDIMScheduler().addNoise(x, m, 500),
    new DDIMScheduler().toConfig(),
    DDIMScheduler.fromConfig({}).toConfig(),
    seeded().randn(DIMS),
    latentToRgb(x, SD1_LATENT_RGB),
  ];
  const expected = steps();
  const results = await polluted(() => {
    try {
      return steps();
    } catch (error) {
      return String(error);
    }
  });
  assert.equal(results, expected);
});

test.run();
