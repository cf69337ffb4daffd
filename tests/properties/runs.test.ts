// Properties of runs: state that is saved and restored, and runs that end before their time.

import { test } from "uvu";
import * as assert from "uvu/assert";
import * as fc from "../fast-check.js";
import { implementations } from "../implementations.js";
import { assertSameBits, type Data, type DType, normalData } from "../tensors.js";
import { makeScheduler, samplerCases } from "./samplers.js";

const { simd, scalar } = implementations;
const DENOISING = ["DDIMScheduler", "LCMScheduler", "TCDScheduler", "DPMSolverMultistepScheduler"] as const;

/** One call of a generator. */
const draws = fc.record({
  kind: fc.constantFrom("randn", "rand", "randint", "bigint"),
  n: fc.oneof(fc.integer({ min: 0, max: 40 }), fc.constantFrom(623, 624, 625, 16400, 16401)),
  type: fc.constantFrom("float32", "float16"),
});

type Draw = typeof draws extends fc.Arbitrary<infer T> ? T : never;

function draw(generator: any, { kind, n, type }: Draw): Buffer {
  const data =
    kind === "randint"
      ? generator.randint(-5, 1000 + n, [n])
      : kind === "bigint"
        ? generator.randint(0n, 2n ** 40n, [n])
        : generator[kind]([n], { type }).data;
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

test("a generator's state, saved anywhere in a sequence of draws, goes on in another generator", () => {
  const sequences = fc.array(draws, { maxLength: 6 });
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }), sequences, sequences, (seed, before, after) => {
      const generator = new simd.Generator(seed);
      for (const each of before) draw(generator, each);
      const state = generator.getState();
      const copies = [
        generator.clone(),
        new simd.Generator(1).setState(state),
        new scalar.Generator(2).setState(Uint8Array.from(state)),
      ];
      for (const each of after) {
        const expected = draw(generator, each);
        for (const copy of copies) assert.ok(draw(copy, each).equals(expected));
      }
      for (const copy of copies) {
        assert.equal(copy.getState(), generator.getState());
        assert.is(copy.initialSeed, generator.initialSeed);
      }
      generator.setState(state);
      const twin = new simd.Generator(seed);
      for (const each of before) draw(twin, each);
      for (const each of after) assert.ok(draw(generator, each).equals(draw(twin, each)));
    }),
    fc.runs(1600),
  );
});

/** What a loop has at hand after some of its steps. */
interface LoopState {
  sample: Data;
  generator: Uint8Array;
  config: string;
  timesteps: number[];
  history: object | undefined;
}

/** Steps of a loop by hand; the model gives half of the sample, or of halves the sample itself. */
function loop(scheduler: any, generator: any, from: number, to: number, start: Data, first?: object): LoopState {
  let [sample, history] = [start, first];
  const timesteps: number[] = Array.from(scheduler.timesteps);
  const isDpm = scheduler.constructor.name.startsWith("DPM");
  for (const t of timesteps.slice(from, to)) {
    const output = sample instanceof Float32Array ? sample.map((value) => value / 2) : sample;
    const options = isDpm ? { ...(history && { history }) } : { generator };
    const result = scheduler.step(output, sample, t, { ...options, returnDict: true });
    sample = result.prevSample;
    history = { predOriginalSample: result.predOriginalSample, timestep: t, numInferenceSteps: timesteps.length };
  }
  const config = JSON.stringify(scheduler.toConfig());
  return { sample, generator: generator.getState(), config, timesteps, history };
}

test("a loop that is saved after any step goes on elsewhere as it would have here", () => {
  fc.assert(
    fc.property(
      samplerCases(DENOISING),
      fc.nat(8),
      fc.nat(2 ** 30),
      fc.constantFrom("float32", "float16"),
      (drawn, cut, seed, type) => {
        const scheduler = makeScheduler(simd, drawn);
        const start = normalData(seed, 20, type as DType);
        const steps = scheduler.timesteps.length;
        const expected = loop(scheduler, new simd.Generator(seed), 0, steps, start);
        const at = cut % (steps + 1);
        const saved = structuredClone(loop(scheduler, new simd.Generator(seed), 0, at, start));
        const restored = (scalar[drawn.sampler] as any).fromConfig(saved.config, {}, { onWarning() {} });
        restored.setTimesteps(drawn.steps);
        assert.equal(Array.from(restored.timesteps), saved.timesteps);
        const generator = new scalar.Generator().setState(saved.generator);
        const actual = loop(restored, generator, at, steps, saved.sample, saved.history);
        assertSameBits(actual.sample, expected.sample);
        assert.equal(actual.generator, expected.generator);
      },
    ),
    fc.runs(1600),
  );
});

/** How a run ends before its time. */
const FAILURES = [
  "the signal is aborted",
  "the model throws",
  "the model's promise is rejected",
  "the model gives a tensor of another size",
  "the model gives nothing",
  "onStep throws",
  "the stream is left",
] as const;

const runCases = fc.record({
  scheduler: samplerCases(DENOISING),
  type: fc.constantFrom("float32", "float16"),
  batch: fc.integer({ min: 1, max: 3 }),
  start: fc.constantFrom("dims", "sample", "strength", "known"),
  inpaints: fc.boolean(),
  knownNoise: fc.constantFrom("same", "fresh", "tensor"),
  generatorEach: fc.boolean(),
  guided: fc.constantFrom("no", "by the pipeline", "by the model"),
  eta: fc.constantFrom(undefined, 0.5),
  checkFinite: fc.boolean(),
  numInferenceSteps: fc.boolean(),
  seed: fc.nat(2 ** 30),
});

type RunCase = typeof runCases extends fc.Arbitrary<infer T> ? T : never;

class Expected extends Error {}

/** A model that fails at a call, or never. */
function makeModel(run: RunCase, failure: (typeof FAILURES)[number] | null, at: number): any {
  let calls = 0;
  return ({ data, dims, type }: { data: Data; dims: number[]; type: string }) => {
    const isAt = calls++ === at;
    if (isAt && failure === "the model throws") throw new Expected();
    if (isAt && failure === "the model's promise is rejected") return Promise.reject(new Expected());
    if (isAt && failure === "the model gives nothing") return undefined;
    const output = data instanceof Float32Array ? data.map((value) => value / 2) : data.slice();
    const isDoubled = run.guided === "by the model";
    const batch = { data: output, dims, type };
    if (isDoubled) {
      const twice = data instanceof Float32Array ? new Float32Array(2 * data.length) : new Uint16Array(2 * data.length);
      twice.set(output);
      twice.set(
        output.map((_, i) => output[output.length - 1 - i]!),
        output.length,
      );
      Object.assign(batch, { data: twice, dims: [2 * dims[0]!, ...dims.slice(1)] });
    }
    if (isAt && failure === "the model gives a tensor of another size") {
      return { data: batch.data.slice(1), dims: [batch.data.length - 1] };
    }
    return calls % 2 ? batch : Promise.resolve(batch);
  };
}

function runOptions(run: RunCase, generators: any[]): any {
  const { type, batch, scheduler, eta, checkFinite, seed } = run;
  const dims = [batch, 2, 3];
  const tensor = (index: number) => ({ data: normalData(seed + index, 6 * batch, type as DType), dims });
  // Halves overflow, as they should: these models are no good ones.
  const isHalf = type === "float16" || scheduler.options["computeDtype"] === "float16";
  const options: Record<string, unknown> = { checkFinite: checkFinite && !isHalf };
  options["generator"] = run.generatorEach ? generators : generators[0];
  if (run.numInferenceSteps) options["numInferenceSteps"] = scheduler.steps;
  if (eta !== undefined && /DDIM|TCD/.test(scheduler.sampler)) options["eta"] = eta;
  if (run.guided !== "no") options["guidanceScale"] = 3;
  if (run.guided === "by the pipeline") Object.assign(options, { condition: Array(batch).fill(1), unconditional: 0 });
  if (run.start === "dims") Object.assign(options, { dims, type });
  else if (run.start !== "known") options["sample"] = tensor(1);
  if (run.start === "strength" || run.start === "known") options["strength"] = 0.8;
  if (run.inpaints || run.start === "known") {
    options["known"] = tensor(2);
    options["mask"] = { data: Float32Array.from({ length: 6 }, (_, i) => i / 5), dims: [2, 3] };
    options["knownNoise"] = run.knownNoise === "tensor" ? tensor(3) : run.knownNoise;
  }
  return options;
}

test("after a run that was aborted, that threw or that was left, everything goes on as if it were new", async () => {
  const ended = new Set<string>();
  await fc.assert(
    fc.asyncProperty(runCases, fc.constantFrom(...FAILURES), fc.nat(7), async (run, failure, place) => {
      const scheduler = makeScheduler(simd, run.scheduler);
      // LCM and TCD take what lies on the part of the way that `strength` leaves.
      const before = Array.from(scheduler.timesteps);
      const at = place % before.length;
      const generators = Array.from({ length: run.batch }, (_, i) => new simd.Generator(run.seed + i));
      const controller = new AbortController();
      const options = { ...runOptions(run, generators), signal: controller.signal };
      let reports = 0;
      const report = (): void => {
        if (reports++ !== at) return;
        if (failure === "the signal is aborted") controller.abort(new Expected());
        if (failure === "onStep throws") throw new Expected();
      };
      let model = makeModel(run, failure, at);
      const pipeline = new simd.DiffusionPipeline({ scheduler, model: (sample: unknown) => model(sample) }) as any;
      const outcome = async (): Promise<unknown> => {
        if (failure !== "the stream is left") return pipeline.run({ ...options, onStep: report });
        for await (const { step } of pipeline.stream(options)) if (step === at) break;
        return undefined;
      };
      const error = await outcome().then(
        () => null,
        (thrown: unknown) => thrown,
      );
      if (error !== null) {
        const isLibrarys = failure.startsWith("the model gives");
        assert.ok(
          isLibrarys ? (error as Error).message.startsWith('"modelOutput') : error instanceof Expected,
          String(error),
        );
        ended.add(failure);
      }
      assert.equal(Array.from(scheduler.timesteps), before, "the scheduler's timesteps");

      // The same pipeline, whose model has failed for the last time, and a new one of another copy of the library.
      const states = generators.map((generator) => generator.getState());
      const twins = states.map((state) => new scalar.Generator().setState(state));
      const fresh = new scalar.DiffusionPipeline({
        scheduler: makeScheduler(scalar, run.scheduler),
        model: makeModel(run, null, 0),
      }) as any;
      model = makeModel(run, null, 0);
      const [actual, expected] = [
        await pipeline.run(runOptions(run, generators)),
        await fresh.run(runOptions(run, twins)),
      ];
      assertSameBits(actual.data, expected.data);
      generators.forEach((generator, i) => assert.equal(generator.getState(), twins[i]!.getState()));
    }),
    fc.runs(3200),
  );
  assert.is(ended.size, FAILURES.length - 1, "each failure that is an error has been seen");
});

test.run();
