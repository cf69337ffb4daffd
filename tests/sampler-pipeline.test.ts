// The pipeline with LCM, TCD and DPM-Solver++, against their loops by hand.

import type { DPMSolverMultistepSchedulerOptions, PlainTensor, StepHistory } from "ddim-wasm";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { implementations } from "./implementations.js";
import { distilledTimesteps, dpmTimesteps } from "./sampler-oracle.js";
import { assertSameBits, normalTensor } from "./tensors.js";

const {
  allocate,
  DDIMScheduler,
  DiffusionPipeline,
  DPMSolverMultistepScheduler,
  Generator,
  LCMScheduler,
  TCDScheduler,
} = implementations.simd;

type Floats = PlainTensor<Float32Array<ArrayBuffer>>;
const DIMS = [2, 3, 4, 5];
const image = normalTensor(1, DIMS) as Floats;
const model = ({ data, dims }: { data: Float32Array; dims: readonly number[] }, t: number) => ({
  data: data.map((value) => value * (0.5 + t / 4000)),
  dims,
});

type Distilled = InstanceType<typeof LCMScheduler>;
const DISTILLED = { LCM: LCMScheduler, TCD: TCDScheduler as unknown as typeof LCMScheduler };

function distilledLoop(
  scheduler: Distilled,
  sample: Floats,
  timesteps: readonly number[],
  generator: Generated,
): Floats {
  timesteps.forEach((t, i) => {
    sample = scheduler.step(model(sample, t), sample, t, { prevTimestep: timesteps[i + 1] ?? -1, generator });
  });
  return sample;
}
type Generated = InstanceType<typeof Generator>;

for (const [name, Class] of Object.entries(DISTILLED)) {
  test(`${name}: a run is the loop by hand`, async () => {
    const pipeline = new DiffusionPipeline({ scheduler: new Class(), model });
    const [actual, expected] = [new Generator(3), new Generator(3)];
    const result = await pipeline.run({ dims: DIMS, numInferenceSteps: 4, generator: actual });
    const noise = expected.randn(DIMS);
    assertSameBits(result.data, distilledLoop(new Class(), noise, [999, 759, 499, 259], expected).data);
    assert.equal(actual.getState(), expected.getState());
  });

  for (const strength of [0.1, 0.3, 0.5, 0.8, 0.99, 1]) {
    test(`${name}: image-to-image of strength ${strength} takes its steps from that share of the distillation's`, async () => {
      const scheduler = new Class();
      const visited: number[] = [];
      const pipeline = new DiffusionPipeline({
        scheduler,
        model: (sample, t) => {
          visited.push(t);
          return model(sample, t);
        },
      });
      for (const exactSteps of [false, true]) {
        visited.length = 0;
        const [actual, expected] = [new Generator(3), new Generator(3)];
        const options = { sample: image, strength, exactSteps, numInferenceSteps: 4 };
        const result = await pipeline.run({ ...options, generator: actual });
        assert.equal(visited, distilledTimesteps(1000, 50, 4, strength));
        const noised = scheduler.addNoise(image, expected.randn(DIMS), visited[0]!);
        assertSameBits(result.data, distilledLoop(scheduler, noised, visited.slice(), expected).data);
        assert.equal(actual.getState(), expected.getState());
      }
      // The scheduler's own list is not that of the run, and the next run starts from the top.
      assert.equal(Array.from(scheduler.timesteps), [999, 759, 499, 259]);
      visited.length = 0;
      await pipeline.run({ sample: image, strength, generator: new Generator(3) });
      assert.equal(visited, distilledTimesteps(1000, 50, 4, strength));
      visited.length = 0;
      await pipeline.run({ dims: [1, 4], generator: new Generator(3) });
      assert.equal(visited, [999, 759, 499, 259]);
    });
  }

  test(`${name}: a list of one's own is cut, as that of any sampler`, async () => {
    const visited: number[] = [];
    const pipeline = new DiffusionPipeline({
      scheduler: new Class(),
      model: (sample, t) => {
        visited.push(t);
        return model(sample, t);
      },
    });
    await pipeline.run({ sample: image, strength: 0.5, numInferenceSteps: [900, 700, 500, 300] });
    assert.equal(visited, [500, 300]);
  });

  test(`${name}: more steps than a strength leaves`, async () => {
    const pipeline = new DiffusionPipeline({ scheduler: new Class(), model });
    let message = "";
    const run = pipeline.run({ sample: image, strength: 0.1, numInferenceSteps: 8 });
    await run.catch((error: Error) => (message = error.message));
    assert.match(message, /"steps" expected an integer in \[1, originalInferenceSteps \* strength = 5\].*got 8/);
  });

  test(`${name}: inpainting keeps what is known, noised to the level of p and clean in the end`, async () => {
    const mask = { data: Float32Array.from({ length: 20 }, (_, i) => i % 2), dims: [4, 5] };
    const known = normalTensor(5, DIMS);
    const pipeline = new DiffusionPipeline({ scheduler: new Class(), model });
    const generator = new Generator(4);
    const noise = new Generator(4).randn(DIMS);
    const scheduler = new Class();
    const options = { dims: DIMS, mask, known, numInferenceSteps: 4, generator };
    for await (const { step, total, timestep, sample } of pipeline.stream(options)) {
      const p = [759, 499, 259][step];
      const kept = p === undefined ? known : scheduler.addNoise(known, noise, p);
      assert.is(total, 4);
      assert.is(timestep, [999, 759, 499, 259][step]);
      sample.data.forEach((value, i) => {
        if (i % 2 === 0) assert.is(value, kept.data[i]);
      });
    }
  });
}

test("LCM and TCD: options that a step does not have", async () => {
  const messages: string[] = [];
  const run = (Class: typeof LCMScheduler, options: object) =>
    new DiffusionPipeline({ scheduler: new Class(), model })
      .run({ dims: [1, 4], numInferenceSteps: 2, ...options })
      .catch((error: Error) => messages.push(error.message));
  await run(DISTILLED.LCM, { eta: 0 });
  await run(DISTILLED.TCD, { useClippedModelOutput: true });
  await run(DPMSolverMultistepScheduler as never, { eta: 1 });
  assert.equal(messages.length, 3);
  for (const message of messages) assert.match(message, /is no option of the steps of \w+Scheduler/);
  // Which is one of TCD's.
  const [zero, one] = await Promise.all(
    [0, 1].map((eta) =>
      new DiffusionPipeline({ scheduler: new TCDScheduler(), model }).run({
        dims: [1, 4],
        numInferenceSteps: 2,
        generator: new Generator(1),
        eta,
      }),
    ),
  );
  assert.not.equal(zero!.data, one!.data);
});

/** DPM-Solver++ by hand. */
function dpmLoop(
  options: DPMSolverMultistepSchedulerOptions,
  sample: Floats,
  timesteps: readonly number[],
  steps = timesteps.length,
): Floats[] {
  const scheduler = new DPMSolverMultistepScheduler(options);
  scheduler.setTimesteps(steps);
  let history: StepHistory | undefined;
  return timesteps.flatMap((timestep, i) => {
    const result = scheduler.step(model(sample, timestep), sample, timestep, {
      history,
      prevTimestep: timesteps[i + 1] ?? -1,
      returnDict: true,
    });
    history = { predOriginalSample: result.predOriginalSample, timestep };
    sample = result.prevSample;
    return [result.prevSample, result.predOriginalSample];
  });
}

for (const options of [
  {},
  { solverOrder: 1 },
  { solverType: "heun", finalSigmasType: "sigma_min", timestepSpacing: "trailing" },
  { thresholding: true, timestepSpacing: "leading", computeDtype: "float16" },
] as DPMSolverMultistepSchedulerOptions[]) {
  test(`DPM-Solver++: a run hands the history on: ${JSON.stringify(options)}`, async () => {
    const timesteps = dpmTimesteps(1000, options.timestepSpacing ?? "linspace", 8);
    const expected = dpmLoop(options, new Generator(3).randn(DIMS), timesteps);
    const make = () => new DiffusionPipeline({ scheduler: new DPMSolverMultistepScheduler(options), model });
    const run = { dims: DIMS, numInferenceSteps: 8 };
    assertSameBits((await make().run({ ...run, generator: new Generator(3) })).data, expected.at(-2)!.data);
    // Previews are those of the steps, and what becomes of them is no matter of the run.
    for await (const report of make().stream({ ...run, generator: new Generator(3) })) {
      assertSameBits(report.sample.data, expected[2 * report.step]!.data);
      assertSameBits(report.predOriginalSample.data, expected[2 * report.step + 1]!.data);
      report.predOriginalSample.data.fill(NaN);
    }
  });
}

test("DPM-Solver++: image-to-image starts without a history, from the cut list", async () => {
  const timesteps = dpmTimesteps(1000, "linspace", 10).slice(-6);
  const scheduler = new DPMSolverMultistepScheduler();
  const noised = scheduler.addNoise(image, new Generator(3).randn(DIMS), timesteps[0]!);
  const expected = dpmLoop({}, noised, timesteps, 10).at(-2)!;
  const pipeline = new DiffusionPipeline({ scheduler, model });
  const options = { sample: image, strength: 0.6, numInferenceSteps: 10, generator: new Generator(3) };
  assertSameBits((await pipeline.run(options)).data, expected.data);
});

test("DPM-Solver++: exactSteps spends every step on the part, whatever the spacing and offset", async () => {
  for (const timestepSpacing of ["linspace", "leading", "trailing"] as const) {
    for (const stepsOffset of [0, 1]) {
      const scheduler = new DPMSolverMultistepScheduler({ numTrainTimesteps: 50, timestepSpacing, stepsOffset });
      for (const [steps, strength] of [
        [1, 0.5],
        [7, 0.3],
        [10, 1],
        [24, 0.5],
        [40, 0.2],
      ] as const) {
        let count = 0;
        const pipeline = new DiffusionPipeline({
          scheduler,
          model: (sample, t) => {
            count++;
            return model(sample, t);
          },
        });
        const options = { sample: image, strength, exactSteps: true, numInferenceSteps: steps };
        await pipeline.run({ ...options, generator: new Generator(1) });
        assert.is(count, steps, JSON.stringify({ timestepSpacing, stepsOffset, steps, strength }));
      }
    }
  }
});

test("a history outlives the tensors that it came with", async () => {
  // The sample of a run from a resident tensor is freed while the model is waited for.
  const sample = allocate(DIMS);
  sample.data.set(image.data);
  const timesteps = dpmTimesteps(1000, "linspace", 6);
  const pipeline = new DiffusionPipeline({
    scheduler: new DPMSolverMultistepScheduler(),
    model: async (input: typeof sample | Floats, t: number, { step }) => {
      const output = model(input as Floats, t);
      await Promise.resolve();
      if (step === 1) sample.free();
      return output;
    },
  });
  const result = await pipeline.run({ sample, numInferenceSteps: 6 });
  assertSameBits(result.data, dpmLoop({}, image, timesteps).at(-2)!.data);
});

test("runs of one scheduler beside each other, and an aborted one", async () => {
  const scheduler = new DPMSolverMultistepScheduler();
  const pipeline = new DiffusionPipeline({
    scheduler,
    model: async (sample, t) => {
      await Promise.resolve();
      return model(sample, t);
    },
  });
  const run = (numInferenceSteps: number) => pipeline.run({ sample: image, numInferenceSteps });
  const [six, nine] = await Promise.all([run(6), run(9)]);
  assertSameBits(six!.data, dpmLoop({}, image, dpmTimesteps(1000, "linspace", 6)).at(-2)!.data);
  assertSameBits(nine!.data, dpmLoop({}, image, dpmTimesteps(1000, "linspace", 9)).at(-2)!.data);

  const controller = new AbortController();
  const aborted = pipeline.run({
    sample: image,
    numInferenceSteps: 6,
    signal: controller.signal,
    onStep: ({ step }) => step === 2 && controller.abort(new Error("enough")),
  });
  let message = "";
  await aborted.catch((error: Error) => (message = error.message));
  assert.is(message, "enough");
});

test("guidance, halves and conditions, as for DDIM", async () => {
  for (const scheduler of [
    new LCMScheduler(),
    new TCDScheduler(),
    new DPMSolverMultistepScheduler(),
    new DDIMScheduler(),
  ]) {
    const pipeline = new DiffusionPipeline({
      scheduler,
      model: ({ data, dims, type }: PlainTensor<Uint16Array<ArrayBuffer>>, _t: number, { condition }) => {
        assert.equal(condition, [0, 0, 1, 2]);
        assert.equal(dims, [4, 3]);
        return { data, dims, type };
      },
    });
    const result = await pipeline.run({
      dims: [2, 3],
      type: "float16",
      numInferenceSteps: 3,
      generator: new Generator(1),
      guidanceScale: 2,
      guidanceRescale: 0.5,
      condition: [1, 2],
      unconditional: 0,
      checkFinite: true,
    });
    assert.is(result.type, "float16");
  }
});

test("inversion is DDIM's alone", async () => {
  let message = "";
  const pipeline = new DiffusionPipeline({ scheduler: new LCMScheduler(), model });
  await pipeline.invert({ sample: image, numInferenceSteps: 4 }).catch((error: Error) => (message = error.message));
  assert.match(message, /"scheduler" expected a DDIMScheduler to invert/);
});

test("DPM-Solver++: runs of other lengths on one scheduler do not change the last step", async () => {
  const scheduler = new DPMSolverMultistepScheduler({ finalSigmasType: "sigma_min" });
  const pipeline = new DiffusionPipeline({ scheduler, model: async (sample, t) => model(sample, t) });
  const run = (numInferenceSteps: number) =>
    pipeline.run({ dims: [1, 4], generator: new Generator(1), numInferenceSteps });
  const alone = [await run(10), await run(20)];
  assert.is.not(alone[0]!.data[0], alone[1]!.data[0]);
  const together = await Promise.all([run(10), run(20)]);
  assert.equal(together, alone);
  assert.equal(await Promise.all([run(20), run(10)]), alone.reverse());
});

test.run();
