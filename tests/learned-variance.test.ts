// Model outputs with twice the channels: the second half is left unread.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { implementations } from "./implementations.js";
import { assertSameBits, type DType, normalTensor } from "./tensors.js";

const library = implementations.simd;
const { allocate, DiffusionPipeline, DDIMScheduler, Generator } = library;

/** A model output that has `prediction` and, beside it, what must not be read. */
function withVariance<T extends ReturnType<typeof normalTensor<DType>>>(prediction: T): T {
  const [batch, channels, ...rest] = prediction.dims as [number, number, ...number[]];
  const each = prediction.data.length / batch;
  const Class = prediction.type === "float16" ? Uint16Array : Float32Array;
  const doubled = new Class(2 * prediction.data.length).fill(prediction.type === "float16" ? 0x7e00 : NaN);
  for (let i = 0; i < batch; i++) doubled.set(prediction.data.subarray(i * each, (i + 1) * each), 2 * i * each);
  return { ...prediction, data: doubled, dims: [batch, 2 * channels, ...rest] };
}

const SAMPLERS = [
  library.DDIMScheduler,
  library.DDIMInverseScheduler,
  library.LCMScheduler,
  library.TCDScheduler,
  library.DPMSolverMultistepScheduler,
] as unknown as (typeof DDIMScheduler)[];

for (const Class of SAMPLERS) {
  for (const type of ["float32", "float16"] as const) {
    test(`${new Class().toConfig()["_class_name"]}: ${type}: the prediction alone counts`, () => {
      const scheduler = new Class();
      scheduler.setTimesteps(10);
      const t = scheduler.timesteps[4]!;
      for (const dims of [
        [1, 3, 5, 7],
        [3, 2, 5, 7],
        [2, 1, 16401],
        [2, 4],
        [0, 3, 4],
      ]) {
        const x = normalTensor(1, dims, type);
        const m = normalTensor(2, dims, type);
        for (const guided of [false, true]) {
          const prediction = guided ? normalTensor(3, [2 * dims[0]!, ...dims.slice(1)], type) : m;
          const options = { returnDict: true, ...(guided && { guidanceScale: 3, guidanceRescale: 0.5 }) } as const;
          const noise = Class === (library.LCMScheduler as unknown) || Class === (library.TCDScheduler as unknown);
          const source = noise ? { varianceNoise: normalTensor(4, dims, type) } : {};
          const expected = scheduler.step(prediction, x, t, { ...options, ...source });
          const both = withVariance(prediction);
          const actual = scheduler.step(both, x, t, { ...options, ...source, learnedVariance: true });
          assertSameBits(actual.prevSample.data, expected.prevSample.data);
          assertSameBits(actual.predOriginalSample.data, expected.predOriginalSample.data);
          // Into the model's output itself, which is longer.
          const out = { data: both.data.subarray(0, x.data.length), dims, type };
          const inPlace = scheduler.step(both, x, t, { ...options, ...source, learnedVariance: true, out });
          assertSameBits(inPlace.prevSample.data, expected.prevSample.data);
        }
      }
    });
  }
}

test("resident outputs", () => {
  const scheduler = new DDIMScheduler();
  scheduler.setTimesteps(10);
  for (const dims of [
    [1, 2, 20000],
    [2, 2, 20000],
  ]) {
    const [x, m] = [normalTensor(1, dims), normalTensor(2, dims)];
    const both = withVariance(m);
    const [rx, rm] = [allocate(dims), allocate(both.dims)];
    rx.data.set(x.data);
    rm.data.set(both.data);
    scheduler.step(rm, rx, 900, { learnedVariance: true, out: rx });
    assertSameBits(rx.data, scheduler.step(m, x, 900).data);
    rx.free();
    rm.free();
  }
});

test("what does not fit is told", () => {
  const scheduler = new DDIMScheduler();
  scheduler.setTimesteps(10);
  const dims = [2, 3, 4];
  const x = normalTensor(1, dims);
  const learnedVariance = true;
  const wrong = (m: unknown, sample: unknown, kind: typeof TypeError, message: RegExp, more = {}) =>
    assert.throws(
      () => scheduler.step(m as typeof x, sample as typeof x, 900, { learnedVariance, ...more }),
      (error: Error) => error instanceof kind && message.test(error.message),
      `${message}`,
    );
  const expected = /"modelOutput.dims" expected those of "sample" with twice the channels, under learnedVariance/;
  wrong(x, x, RangeError, expected);
  wrong(withVariance(x), x, RangeError, expected, { guidanceScale: 2 });
  wrong(withVariance(x).data, x, TypeError, expected);
  wrong(withVariance(x), x.data, TypeError, expected);
  wrong(withVariance(x).data, x.data, TypeError, expected);
  wrong({ data: new Float32Array(8), dims: [8] }, { data: new Float32Array(4), dims: [4] }, RangeError, expected);
  wrong(normalTensor(1, [2, 6, 4], "float16"), x, TypeError, /"modelOutput" expected float32 data/);
  wrong(withVariance(x), x, TypeError, /"learnedVariance" expected a boolean/, { learnedVariance: 1 });
  assert.throws(() => scheduler.step(withVariance(x), x, 900), /"modelOutput" expected 24 elements/);
});

test("the pipeline runs, previews and inverts such a model, and checks of it what it reads", async () => {
  const predict = ({ data, dims, type }: { data: Float32Array; dims: number[]; type: "float32" }) => ({
    data: data.map((value) => 0.4 * value),
    dims,
    type,
  });
  const make = (learned: boolean) =>
    new DiffusionPipeline({
      scheduler: new DDIMScheduler(),
      model: (sample) => (learned ? withVariance(predict(sample as never)) : predict(sample as never)),
    });
  const options = { dims: [2, 2, 4, 4], numInferenceSteps: 5, checkFinite: true };
  const run = (learnedVariance: boolean) =>
    make(learnedVariance).run({ ...options, learnedVariance, generator: new Generator(1) });
  assert.equal(await run(true), await run(false));
  const sample = normalTensor(1, options.dims);
  const invert = (learnedVariance: boolean) =>
    make(learnedVariance).invert({ sample, numInferenceSteps: 5, refine: true, checkFinite: true, learnedVariance });
  assert.equal(await invert(true), await invert(false));
  // An odd length, or an output without dims, is for the step to tell.
  for (const output of [{ data: new Float32Array(65), dims: [1, 65] }, new Float32Array(128)]) {
    const odd = new DiffusionPipeline({ scheduler: new DDIMScheduler(), model: () => output });
    let message = "";
    await odd.run({ ...options, learnedVariance: true }).catch((error: Error) => (message = error.message));
    assert.match(message, /"modelOutput.dims" expected those of "sample"/);
  }
});

test.run();
