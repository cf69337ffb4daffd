import type { ModelContext } from "ddim-wasm";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { implementations, pipelineOf } from "./implementations.js";
import { assertSameBits, normalTensor } from "./tensors.js";

const { allocate, DiffusionPipeline, DDIMScheduler, Generator } = implementations.simd;

type Plain = { data: Float32Array | Uint16Array; readonly dims: readonly number[]; type: "float32" | "float16" };

/** A model whose output depends on each value, on the timestep, and on nothing else: a share of the sample. */
function model({ data, dims, type }: Plain, timestep: number): Plain {
  if (type === "float16") return { data: data.slice(), dims, type };
  return { data: data.map((value) => value * (0.5 + timestep / 4000)), dims, type };
}

function makePipeline() {
  return new DiffusionPipeline({ scheduler: new DDIMScheduler(), model });
}

const DIMS = [3, 1, 5, 7];

/** The loop as one writes it by hand. */
function loopByHand(generators: InstanceType<typeof Generator>[], eta: number, type: Plain["type"], dims = DIMS) {
  const scheduler = new DDIMScheduler();
  scheduler.setTimesteps(10);
  const parts = generators.map((generator) =>
    generator.randn(generators.length > 1 ? [1, ...dims.slice(1)] : dims, { type }),
  );
  const data =
    type === "float16" ? new Uint16Array(dims.reduce((a, b) => a * b)) : new Float32Array(dims.reduce((a, b) => a * b));
  let offset = 0;
  for (const part of parts) {
    data.set(part.data, offset);
    offset += part.data.length;
  }
  let sample: Plain = { data, dims, type };
  for (const t of scheduler.timesteps) {
    sample = scheduler.step(model(sample, t), sample, t, { eta, generator: generators });
  }
  return sample;
}

const seeds = (...values: number[]) => values.map((seed) => new Generator(seed));

for (const type of ["float32", "float16"] as const) {
  for (const eta of [0, 1]) {
    test(`a run is the loop by hand: ${type}, eta ${eta}`, async () => {
      const options = { dims: DIMS, type, eta, numInferenceSteps: 10 };
      const one = await makePipeline().run({ ...options, generator: new Generator(1) });
      assertSameBits(one.data, loopByHand(seeds(1), eta, type).data);
      const each = await makePipeline().run({ ...options, generator: seeds(1, 2, 3) });
      assertSameBits(each.data, loopByHand(seeds(1, 2, 3), eta, type).data);
      assert.equal(each.dims, DIMS);
      assert.is(each.type, type);
      // A sample does not depend on the batch it is in.
      const alone = await makePipeline().run({ ...options, dims: [1, 1, 5, 7], generator: seeds(2) });
      assertSameBits(alone.data, each.data.slice(35, 70));
    });
  }
}

test("a run starts from a sample of any kind, and gives back that kind", async () => {
  const noise = new Generator(1).randn([1, 1, 5, 7]);
  const pipeline = makePipeline();
  const expected = await pipeline.run({ dims: noise.dims, generator: new Generator(1), numInferenceSteps: 10 });
  const kept = noise.data.slice();
  const fromPlain = await pipeline.run({ sample: noise, numInferenceSteps: 10 });
  assertSameBits(fromPlain.data, expected.data);
  assertSameBits(noise.data, kept, "the start");

  const bare = new DiffusionPipeline({
    scheduler: new DDIMScheduler(),
    model: (data: Float32Array, t) => model({ data, dims: [], type: "float32" }, t).data,
  });
  const fromBare = await bare.run({ sample: noise.data, numInferenceSteps: 10 });
  assertSameBits(fromBare, expected.data);

  const resident = allocate(noise.dims);
  resident.data.set(noise.data);
  const fromResident = await pipeline.run({ sample: resident, numInferenceSteps: 10 });
  assertSameBits(fromResident.data, expected.data);
  resident.free();
});

test("reports tell where a run is, and what it predicts", async () => {
  const options = { dims: [1, 1, 8, 8], numInferenceSteps: 4, eta: 1 };
  const reports: { step: number; total: number; timestep: number }[] = [];
  const image = await makePipeline().run({
    ...options,
    generator: new Generator(1),
    onStep: async (report) => {
      await Promise.resolve();
      reports.push(report);
    },
  });
  assert.equal(
    reports.map(({ step, total, timestep }) => [step, total, timestep]),
    [
      [0, 4, 750],
      [1, 4, 500],
      [2, 4, 250],
      [3, 4, 0],
    ],
  );

  const generator = new Generator(1);
  const scheduler = new DDIMScheduler();
  scheduler.setTimesteps(4);
  let sample: Plain = generator.randn([1, 1, 8, 8]);
  let last: any;
  for await (const report of makePipeline().stream({ ...options, generator: new Generator(1) })) {
    const output = model(sample, report.timestep);
    const expected = scheduler.step(output, sample, report.timestep, { eta: 1, generator, returnDict: true });
    assertSameBits((report.predOriginalSample as Plain).data, expected.predOriginalSample.data as Float32Array);
    assertSameBits((report.sample as Plain).data, expected.prevSample.data as Float32Array);
    sample = expected.prevSample as Plain;
    last = report.sample;
  }
  assertSameBits(last.data, image.data);
});

test("leaving a stream ends the run", async () => {
  let calls = 0;
  const counting = new DiffusionPipeline({ scheduler: new DDIMScheduler(), model: (x: Plain) => (calls++, x) });
  for await (const { step } of counting.stream({ dims: [1, 4], numInferenceSteps: 10 })) if (step === 2) break;
  assert.is(calls, 3);
});

test("conditions double the batch as a model of one's own would", async () => {
  const conditions: unknown[] = [];
  const biased = ({ data, dims, type }: Plain, shifts: readonly number[]): Plain => ({
    data: data.map((value, i) => value * 0.5 + shifts[Math.floor((i * shifts.length) / data.length)]!),
    dims,
    type,
  });
  const options = { dims: [2, 1, 4, 4], numInferenceSteps: 5, guidanceScale: 2.5, guidanceRescale: 0.5 };
  const conditional = new DiffusionPipeline({
    scheduler: new DDIMScheduler(),
    model: (sample: Plain, _t, { condition }: ModelContext<number>) => {
      conditions.push(condition, sample.dims);
      return biased(sample, condition!);
    },
  });
  const image = await conditional.run({
    ...options,
    generator: new Generator(1),
    condition: [0.1, 0.2],
    unconditional: -0.1,
  });
  assert.equal(conditions.slice(0, 2), [
    [-0.1, -0.1, 0.1, 0.2],
    [4, 1, 4, 4],
  ]);

  const doubling = new DiffusionPipeline({
    scheduler: new DDIMScheduler(),
    model: ({ data, dims, type }: Plain) => {
      const doubled = new Float32Array(2 * data.length);
      doubled.set(data);
      doubled.set(data, data.length);
      return biased({ data: doubled, dims: [4, ...dims.slice(1)], type }, [-0.1, -0.1, 0.1, 0.2]);
    },
  });
  const expected = await doubling.run({ ...options, generator: new Generator(1) });
  assertSameBits(image.data, expected.data);

  // Without guidance the conditions are handed over as they are.
  conditions.length = 0;
  await conditional.run({ dims: [2, 1, 4, 4], numInferenceSteps: 1, condition: [0.1, 0.2] });
  assert.equal(conditions, [
    [0.1, 0.2],
    [2, 1, 4, 4],
  ]);
});

/** What a promise is rejected with. */
async function rejection(promise: Promise<unknown>): Promise<any> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  assert.unreachable("it was not rejected");
}

test("an aborted signal stops a run before the next model call, with its reason", async () => {
  const reason = new Error("enough");
  for (const after of [0, 2]) {
    let calls = 0;
    const signal = { aborted: after === 0, reason };
    const counting = new DiffusionPipeline({ scheduler: new DDIMScheduler(), model: (x: Plain) => (calls++, x) });
    const onStep = ({ step }: { step: number }) => (signal.aborted = step + 1 >= after);
    assert.is(await rejection(counting.run({ dims: [1, 4], numInferenceSteps: 10, signal, onStep })), reason);
    assert.is(calls, after);
  }
  const controller = new AbortController();
  controller.abort();
  const aborted = await rejection(
    makePipeline().run({ dims: [1, 4], numInferenceSteps: 2, signal: controller.signal }),
  );
  assert.is(aborted.name, "AbortError");
  const without = await rejection(
    makePipeline().run({ dims: [1, 4], numInferenceSteps: 2, signal: { aborted: true } }),
  );
  assert.match(without.message, "aborted");
});

test("what goes wrong in a model is told, and the pipeline goes on", async () => {
  const options = { dims: [1, 4], numInferenceSteps: 4, checkFinite: true };
  const expected = await makePipeline().run({ ...options, generator: new Generator(1) });
  const thrown = new Error("out of memory");
  const cases: [name: string, broken: (x: Plain) => unknown, message: RegExp][] = [
    ["throws", () => { throw thrown; }, /^out of memory$/], // prettier-ignore
    ["rejects", () => Promise.reject(thrown), /^out of memory$/],
    ["returns nothing", () => undefined, /"modelOutput" expected a typed array or { data, dims }, got undefined/],
    ["returns another shape", () => ({ data: new Float32Array(5), dims: [1, 5] }), /"modelOutput" expected 4 elements/],
    ["returns other dims", (x) => ({ data: x.data, dims: [4, 1] }), /"modelOutput.dims" expected .*\[1, 4\]/],
    ["returns halves", () => new Uint16Array(4), /"modelOutput" expected float32 data/],
    [
      "returns NaN",
      () => Float32Array.of(0, 0, NaN, 0),
      /model output of step 2, at timestep 250, is not finite: element 2 is NaN/,
    ],
    ["returns NaN at its end", () => Float32Array.of(0, 0, 0, NaN), /not finite: element 3 is NaN/],
    [
      "overflows",
      () => new Float32Array(4).fill(3e38),
      /sample of step 2, at timestep 250, is not finite: element 0 is -?Infinity/,
    ],
  ];
  for (const [name, broken, message] of cases) {
    let breaking = true;
    const pipeline = new DiffusionPipeline({
      scheduler: new DDIMScheduler({ clipSample: false, betaSchedule: "linear", betaStart: 0.01, betaEnd: 0.2 }),
      model: ((x: Plain, t: number, { step }: { step: number }) =>
        breaking && step === 2 ? broken(x) : model(x, t)) as never,
    });
    const error = await rejection(pipeline.run({ ...options, generator: new Generator(1) }));
    assert.match(error.message, message, name);
    breaking = false;
    const again = await pipeline.run({ ...options, generator: new Generator(1) });
    assert.ok((again.data as Float32Array).every(Number.isFinite), name);
  }
  assertSameBits((await makePipeline().run({ ...options, generator: new Generator(1) })).data, expected.data);
});

test("two runs of one pipeline at a time do not disturb each other", async () => {
  const pipeline = new DiffusionPipeline({
    scheduler: new DDIMScheduler(),
    model: async (x: Plain, t) => {
      await new Promise((resolve) => setImmediate(resolve));
      return model(x, t);
    },
  });
  const run = (numInferenceSteps: number) =>
    pipeline.run({ dims: [1, 8], generator: new Generator(numInferenceSteps), numInferenceSteps, eta: 1 });
  const [four, seven] = await Promise.all([run(4), run(7)]);
  assertSameBits(four.data, (await run(4)).data);
  assertSameBits(seven.data, (await run(7)).data);
});

const noise = new Float32Array(4);
const tensor = { data: noise, dims: [1, 4] };
const REFUSED: [options: object, kind: new () => Error, message: string][] = [
  [{}, TypeError, '"dims" or "sample" expected: give either'],
  [{ dims: [4], sample: tensor }, TypeError, '"dims" and "sample" exclude each other'],
  [{ dims: [1, 4], steps: 5 }, TypeError, 'has no option "steps"'],
  [{ dims: [1.5] }, RangeError, '"dims"'],
  [{ dims: "4" }, TypeError, '"dims"'],
  [{ dims: [1, 4], type: "float64" }, RangeError, '"type" expected one of "float32", "float16", got "float64"'],
  [{ sample: tensor, type: "float32" }, TypeError, '"type" expected dims'],
  [{ dims: [1, 4], generator: 42 }, TypeError, '"generator"'],
  [{ dims: [3, 4], generator: [new Generator(1), new Generator(2)] }, RangeError, '"generator"'],
  [{ dims: [1, 4], numInferenceSteps: 0 }, RangeError, '"steps"'],
  [{ dims: [1, 4], numInferenceSteps: 1001 }, RangeError, '"steps"'],
  [{ dims: [1, 4], numInferenceSteps: [1, 2] }, RangeError, '"steps"'],
  [{ dims: [1, 4], eta: 2 }, RangeError, '"eta" expected a number in [0, 1], got 2'],
  [{ dims: [1, 4], useClippedModelOutput: 1 }, TypeError, '"useClippedModelOutput"'],
  [{ dims: [1, 4], guidanceScale: NaN }, RangeError, '"guidanceScale"'],
  [{ dims: [1, 4], guidanceRescale: 0.5 }, TypeError, '"guidanceRescale" expected guidanceScale'],
  [{ dims: [1, 4], guidanceScale: 2, guidanceRescale: 2 }, RangeError, '"guidanceRescale" expected a number in [0, 1]'],
  [{ dims: [1, 4], condition: 3 }, TypeError, '"condition" expected an array'],
  [{ dims: [2, 4], condition: [3] }, RangeError, '"condition" expected 2 conditions'],
  [{ dims: [1, 4], unconditional: 10 }, TypeError, '"unconditional" expected condition'],
  [{ dims: [1, 4], condition: [3], guidanceScale: 2 }, TypeError, '"unconditional" expected the condition'],
  [{ dims: [1, 4], signal: true }, TypeError, '"signal"'],
  [{ dims: [1, 4], checkFinite: "yes" }, TypeError, '"checkFinite"'],
  [{ dims: [1, 4], onStep: 1 }, TypeError, '"onStep" expected a function'],
  [{ dims: [1, 4], strength: 0.5 }, TypeError, '"strength" expected a sample'],
  [{ sample: tensor, strength: 0 }, RangeError, '"strength" expected a number in (0, 1], got 0'],
  [{ sample: tensor, strength: 1.1 }, RangeError, '"strength"'],
  [{ sample: tensor, exactSteps: true }, TypeError, '"exactSteps" expected strength'],
  [{ sample: tensor, strength: 0.5, exactSteps: 1 }, TypeError, '"exactSteps" expected a boolean'],
  [
    { dims: [1, 4], mask: noise },
    TypeError,
    '"mask" expected known beside it, and "known" a mask: give both, or neither',
  ],
  [
    { dims: [1, 4], known: tensor },
    TypeError,
    '"mask" expected known beside it, and "known" a mask: give both, or neither',
  ],
  [{ dims: [1, 4], mask: noise, known: new Float32Array(5) }, RangeError, '"known" expected 4 elements'],
  [{ dims: [1, 4], mask: new Float32Array(3), known: tensor }, RangeError, '"mask" expected 4 elements'],
  [{ dims: [1, 4], mask: { data: noise, dims: [2, 2] }, known: tensor }, RangeError, '"mask.dims"'],
  [
    { dims: [2, 2], mask: { data: noise, dims: [1, 4] }, known: { data: noise, dims: [2, 2] } },
    RangeError,
    '"mask.dims"',
  ],
  [
    { dims: [1, 4], mask: Float32Array.of(0, 0, 2, 0), known: tensor },
    RangeError,
    '"mask[2]" expected a number in [0, 1], got 2',
  ],
  [{ dims: [1, 4], mask: noise, known: tensor, knownNoise: "other" }, RangeError, '"knownNoise"'],
  [{ sample: [1, 2] }, TypeError, '"sample'],
];

test("options that do not fit are refused before the model is called", async () => {
  let calls = 0;
  const pipeline = new DiffusionPipeline({ scheduler: new DDIMScheduler(), model: (x: Plain) => (calls++, x) });
  for (const [options, kind, message] of REFUSED) {
    const error = await rejection(pipeline.run({ numInferenceSteps: 4, ...options } as never));
    const label = `${JSON.stringify(options)}: ${error.message}`;
    assert.is(error.constructor, kind, label);
    assert.ok(error.message.includes(message), label);
  }
  assert.is(calls, 0);
  const unset = await rejection(makePipeline().run({ dims: [1, 4] }));
  assert.match(unset.message, "call scheduler.setTimesteps first, or give numInferenceSteps");
  const own = new DDIMScheduler();
  const others = [{}, Object.create(own), Object.create(DDIMScheduler.prototype), new Proxy(own, {})];
  for (const scheduler of [...others, new implementations.scalar.DDIMScheduler()]) {
    assert.throws(
      () => new DiffusionPipeline({ scheduler, model } as never),
      /"scheduler" expected a scheduler of ddim-wasm that denoises, such as a DDIMScheduler, got an object/,
    );
  }
  for (const given of [{ model: 1 }, {}]) {
    assert.throws(
      () => new DiffusionPipeline({ scheduler: new DDIMScheduler(), ...given } as never),
      /^"model" expected a function, got (1|undefined)$/,
    );
  }
});

const Pipeline = pipelineOf(implementations.simd);

for (const type of [undefined, "float32", "float16"] as const) {
  test(`the model is told the sample's type at every step: ${type} was asked for`, async () => {
    const told: (string | undefined)[] = [];
    const telling = new Pipeline({
      scheduler: new DDIMScheduler(),
      model: (sample: Plain) => {
        told.push(sample.type);
        return { data: sample.data.slice(), dims: sample.dims };
      },
    });
    const expected = Array.from({ length: 3 }, () => type ?? "float32");
    const options = { dims: [2, 3], type, numInferenceSteps: 3 };
    await telling.run(options);
    assert.equal(told.splice(0), expected);
    await telling.run({ ...options, condition: ["a", "b"], unconditional: "", guidanceScale: 2 });
    assert.equal(told.splice(0), expected, "doubled");
    await telling.run({ ...options, mask: new Float32Array(6), known: normalTensor(1, [2, 3], type) });
    assert.equal(told.splice(0), expected, "inpainting");
  });
}

test("no x_0 is predicted that nobody sees", async () => {
  let made = 0;
  class Counting {
    constructor(
      readonly type: string,
      readonly data: Float32Array,
      readonly dims: readonly number[],
    ) {
      made++;
    }
  }
  const [steps, dims] = [7, [1, 4]];
  const plain = new Pipeline({
    scheduler: new DDIMScheduler(),
    model: ({ data }: Plain) => ({ data: data.slice(), dims }),
  });
  const start = () => {
    const sample = new Counting("float32", normalTensor(1, dims).data as Float32Array, dims);
    made = 0;
    return { sample, numInferenceSteps: steps };
  };
  await plain.run(start());
  assert.is(made, steps, "a run");
  await plain.run({ ...start(), eta: 1, checkFinite: true });
  assert.is(made, steps, "a run with noise");
  await plain.invert(start());
  assert.is(made, steps, "an inversion");
  await plain.run({ ...start(), onStep: () => {} });
  assert.is(made, 2 * steps, "a run with reports");
  const options = start();
  for await (const { predOriginalSample } of plain.stream(options)) assert.instance(predOriginalSample, Counting);
  assert.is(made, 2 * steps, "a stream");
});

test("writing to the scheduler's timesteps does not change a run in progress", async () => {
  const options = { dims: [1, 8], numInferenceSteps: 5 };
  const run = (meddle: (scheduler: InstanceType<typeof DDIMScheduler>) => void, previousTimestep: string) => {
    const scheduler = new DDIMScheduler({ previousTimestep: previousTimestep as "stride" });
    const meddling = new Pipeline({
      scheduler,
      model: (sample: Plain, timestep: number) => {
        meddle(scheduler);
        return model(sample, timestep);
      },
    });
    return meddling.run({ ...options, generator: new Generator(1) });
  };
  for (const previous of ["stride", "schedule"]) {
    const expected = await run(() => {}, previous);
    const result = await run(({ timesteps }) => timesteps.fill(3), previous);
    assertSameBits(result.data, expected.data, previous);
  }
});

test.run();
