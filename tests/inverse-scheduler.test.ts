import type { DDIMSchedulerOptions, PlainTensor } from "ddim-wasm";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { relativeError } from "./golden.js";
import { implementations } from "./implementations.js";
import { assertSameBits, normalTensor } from "./tensors.js";

const T = 1000;
const x = normalTensor(1, [2, 3, 7]);
const m = normalTensor(2, [2, 3, 7]);

/** REFERENCE: x_0 and eps from the level that the step comes from, put together at the level that it goes to. */
function expectedStep(prediction: string, source: number, target: number, clip: number): Float64Array {
  const [s, n] = [Math.sqrt(source), Math.sqrt(1 - source)];
  return Float64Array.from(x.data, (xi, i) => {
    const mi = m.data[i]!;
    let x0 = mi;
    let eps = mi;
    if (prediction === "epsilon") x0 = (xi - n * mi) / s;
    if (prediction === "sample") eps = (xi - s * mi) / n;
    if (prediction === "v_prediction") [x0, eps] = [s * xi - n * mi, s * mi + n * xi];
    if (clip) x0 = Math.min(Math.max(x0, -clip), clip);
    return Math.sqrt(target) * x0 + Math.sqrt(1 - target) * eps;
  });
}

for (const [name, { DDIMInverseScheduler }] of Object.entries(implementations)) {
  for (const predictionType of ["epsilon", "sample", "v_prediction"] as const) {
    for (const timestepSpacing of ["leading", "trailing", "linspace"] as const) {
      for (const previousTimestep of ["stride", "schedule"] as const) {
        test(`${name}: inverse steps of ${predictionType}, ${timestepSpacing}, ${previousTimestep}`, () => {
          for (const clipSample of [false, true]) {
            const options: DDIMSchedulerOptions = { predictionType, timestepSpacing, previousTimestep, clipSample };
            const inverse = new DDIMInverseScheduler({ ...options, setAlphaToOne: predictionType !== "sample" });
            inverse.setTimesteps(12);
            const timesteps = Array.from(inverse.timesteps);
            assert.ok(
              timesteps.every((t, i) => i === 0 || t > timesteps[i - 1]!),
              "ascending",
            );
            timesteps.forEach((t, i) => {
              const before =
                previousTimestep === "schedule" ? (timesteps[i - 1] ?? -1) : Math.min(t - Math.floor(T / 12), T - 1);
              const source = before < 0 ? inverse.initialAlphaCumprod : inverse.alphasCumprod[before]!;
              const expected = expectedStep(predictionType, source, inverse.alphasCumprod[t]!, clipSample ? 1 : 0);
              assert.ok(relativeError(inverse.step(m, x, t).data, expected) <= 1e-6, `to ${t}`);
            });
          }
        });
      }
    }
  }

  test(`${name}: own lists, prevTimestep and a timestep per batch element`, () => {
    const inverse = new DDIMInverseScheduler({ clipSample: false });
    inverse.setTimesteps([900, 300, 20]);
    assert.equal(Array.from(inverse.timesteps), [20, 300, 900]);
    const alpha = (t: number): number => (t < 0 ? 1 : inverse.alphasCumprod[t]!);
    const each = inverse.step(m, x, [900, 20]).data;
    assert.ok(
      relativeError(each.subarray(0, 21), expectedStep("epsilon", alpha(300), alpha(900), 0).subarray(0, 21)) <= 1e-6,
    );
    assert.ok(relativeError(each.subarray(21), expectedStep("epsilon", 1, alpha(20), 0).subarray(21)) <= 1e-6);
    const given = inverse.step(m, x, 500, { prevTimestep: 100 });
    assert.ok(relativeError(given.data, expectedStep("epsilon", alpha(100), alpha(500), 0)) <= 1e-6);
    assert.throws(
      () => inverse.step(m, x, 500),
      /"timestep" expected one of scheduler.timesteps, or prevTimestep beside it, got 500/,
    );
  });

  test(`${name}: thresholding is ignored with a warning`, () => {
    const expected = "thresholding: ignored, DDIMInverseScheduler works as with false";
    const warnings: string[] = [];
    const onWarning = (message: string): number => warnings.push(message);
    const read = DDIMInverseScheduler.fromConfig({ beta_schedule: "linear", thresholding: true }, {}, { onWarning });
    assert.equal(warnings, [expected]);

    const { warn } = console;
    console.warn = onWarning;
    try {
      const made = new DDIMInverseScheduler({ betaSchedule: "linear", thresholding: true });
      assert.equal(warnings.slice(1), [`ddim-wasm: ${expected}`]);
      for (const inverse of [read, made]) {
        assert.is(inverse.config.thresholding, false);
        inverse.setTimesteps(10);
        const plain = new DDIMInverseScheduler({ betaSchedule: "linear" });
        plain.setTimesteps(10);
        assertSameBits(inverse.step(m, x, 500).data, plain.step(m, x, 500).data);
      }
    } finally {
      console.warn = warn;
    }
  });

  test(`${name}: what an inversion cannot do is refused`, () => {
    const sample = new DDIMInverseScheduler({ predictionType: "sample" });
    sample.setTimesteps(10);
    assert.throws(() => sample.step(m, x, 0), /setAlphaToOne: false/);
    assert.throws(() => sample.step(m, x, 0, { eta: 0 } as never), /has no option "eta"/);
    assert.throws(() => sample.step(m, x, 0, { useClippedModelOutput: true } as never), /has no option/);
    const untimed = new DDIMInverseScheduler();
    assert.throws(() => untimed.step(m, x, 0), /call setTimesteps first/);
    assert.is(untimed.toConfig()["_class_name"], "DDIMInverseScheduler");
    assert.equal(DDIMInverseScheduler.fromConfig(untimed.toConfig()).config, untimed.config);
  });
}

const { DDIMInverseScheduler, DiffusionPipeline, DDIMScheduler, Generator } = implementations.simd;

/** Data N(mean, deviation^2): the noise in a sample is known in closed form. */
async function invertAndSample(
  options: DDIMSchedulerOptions,
  mean: number,
  deviation: number,
  steps: number | number[],
  refine: boolean,
) {
  const scheduler = new DDIMScheduler({ clipSample: false, ...options });
  const model = ({ data, dims }: { data: Float32Array; dims: number[] }, t: number) => {
    const alpha = scheduler.alphasCumprod[t]!;
    const gain = Math.sqrt(1 - alpha) / (alpha * deviation ** 2 + 1 - alpha);
    return { data: data.map((value) => gain * (value - Math.sqrt(alpha) * mean)), dims };
  };
  const pipeline = new DiffusionPipeline({ scheduler, model });
  const { data, dims } = new Generator(1).randn([1, 1, 32, 32]);
  const image = { data: data.map((value) => mean + deviation * value), dims };
  const inversion = await pipeline.invert({ sample: image, numInferenceSteps: steps, refine });
  const again = await pipeline.run({ sample: inversion.sample, numInferenceSteps: steps });
  const difference = image.data.reduce((most, value, i) => Math.max(most, Math.abs(value - again.data[i]!)), 0);
  return { difference, ...inversion };
}

for (const betaSchedule of ["linear", "scaled_linear"] as const) {
  test(`standard normal data comes back: ${betaSchedule}`, async () => {
    const plain = await invertAndSample({ betaSchedule }, 0, 1, 100, false);
    assert.ok(plain.difference <= 2e-3, String(plain.difference));
    assert.is(plain.converged, true);
    assert.is(plain.worst, null);
    const refined = await invertAndSample({ betaSchedule }, 0, 1, 100, true);
    assert.ok(refined.difference <= 1e-5, String(refined.difference));
    assert.is(refined.converged, true);
    assert.ok(refined.worst!.residual <= 1e-6);
  });
}

test("an inversion calls the model once a step, unless it is refined", async () => {
  let calls = 0;
  const model = (x: PlainTensor) => {
    calls++;
    return x;
  };
  const pipeline = new DiffusionPipeline({ scheduler: new DDIMScheduler(), model });
  const sample = normalTensor(1, [1, 4]);
  await pipeline.invert({ sample, numInferenceSteps: 5 });
  assert.is(calls, 5);
  await pipeline.invert({ sample, numInferenceSteps: 5, refine: true });
  assert.ok(calls > 10);
});

test("a refinement that does not converge tells so", async () => {
  const { converged, worst } = await invertAndSample(
    { betaSchedule: "squaredcos_cap_v2" },
    0,
    1,
    [999, 500, 100],
    true,
  );
  assert.is(converged, false);
  assert.is(worst!.timestep, 999);
  assert.ok(worst!.residual > 1e-6);
});

test("a refinement takes no more model calls than it says", async () => {
  for (const iterations of [1, 2, 5]) {
    let calls = 0;
    const pipeline = new DiffusionPipeline({
      scheduler: new DDIMScheduler({ clipSample: false }),
      // Another model at each call: no step can be undone.
      model: ({ data, dims }: PlainTensor<Float32Array>) => ({ data: data.map((value) => value + ++calls), dims }),
    });
    const sample = normalTensor(1, [1, 9]);
    const { converged } = await pipeline.invert({ sample, numInferenceSteps: 3, refine: { iterations } });
    assert.is(converged, false);
    assert.is(calls, 3 * 9 * (1 + iterations));
  }
});

test("other data, schedules and spacings, for the record", async () => {
  console.log("\nlargest difference after inversion and sampling, 100 steps: plain, refined");
  for (const [mean, deviation] of [
    [0, 1],
    [0.5, 0.2],
  ] as const) {
    for (const betaSchedule of ["linear", "scaled_linear", "squaredcos_cap_v2"] as const) {
      for (const timestepSpacing of ["leading", "trailing", "linspace"] as const) {
        const options = { betaSchedule, timestepSpacing };
        const plain = await invertAndSample(options, mean, deviation, 100, false);
        const refined = await invertAndSample(options, mean, deviation, 100, true);
        const told = refined.converged ? "" : `, not converged at ${refined.worst!.timestep}`;
        const row = `${plain.difference.toExponential(1)} ${refined.difference.toExponential(1)}${told}`;
        console.log(`N(${mean}, ${deviation}^2) ${betaSchedule} ${timestepSpacing}: ${row}`);
        // What says that it converged gives the image back.
        if (refined.converged) assert.ok(refined.difference <= 1e-5, row);
      }
    }
  }
});

/** The message that a promise is rejected with. */
function messageOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => assert.unreachable() as never,
    (error: Error) => error.message,
  );
}

test("invert takes what it should", async () => {
  const pipeline = new DiffusionPipeline({
    scheduler: new DDIMScheduler({ clipSample: false }),
    model: (sample) => sample,
  });
  const rejected: [options: object, message: RegExp][] = [
    [{ numInferenceSteps: 5 }, /"sample" expected/],
    [{ sample: x, numInferenceSteps: 5, eta: 0 }, /has no option "eta"/],
    [
      { sample: x, numInferenceSteps: 5, refine: 3 },
      /"refine" expected a boolean or an object { iterations, tolerance }, got 3/,
    ],
    [{ sample: x, numInferenceSteps: 5, refine: { iterations: 0 } }, /"iterations" expected an integer >= 1/],
    [{ sample: x, numInferenceSteps: 5, refine: { tolerance: 0 } }, /"tolerance" expected a finite number > 0/],
    [{ sample: new Uint16Array(4), numInferenceSteps: 5, refine: true }, /"sample" expected float32 data to refine/],
    [{ sample: x }, /call scheduler.setTimesteps first/],
  ];
  for (const [options, message] of rejected) {
    assert.match(await messageOf(pipeline.invert(options as never)), message);
  }
});

test("under checkFinite an inversion ends where its sample is infinite, although the model's output is not", async () => {
  const scheduler = new DDIMScheduler({ clipSample: false });
  const model = (sample: Float32Array): Float32Array => sample.map(() => 3.4e38);
  const pipeline = new DiffusionPipeline({ scheduler, model });
  const sample = new Float32Array(4).fill(3.4e38);
  const error = await pipeline.invert({ sample, numInferenceSteps: 5, checkFinite: true }).then(
    () => assert.unreachable(),
    (caught: Error) => caught,
  );
  assert.match(
    (error as Error).message,
    /^the sample of step 0, at timestep 0, is not finite: element 0 is -?Infinity/,
  );
});

test("the worst step of an inversion is told, be it the first, the last or another", async () => {
  const scheduler = new DDIMScheduler({ clipSample: false });
  scheduler.setTimesteps(5);
  for (const hard of scheduler.timesteps) {
    const model = (sample: Float32Array, t: number): Float32Array =>
      sample.map((value) => (t === hard ? Math.sin(9 * value) : 0.1));
    const sample = Float32Array.of(0.1, -0.4, 0.7, 0.2);
    const pipeline = new DiffusionPipeline({ scheduler, model });
    const { converged, worst } = await pipeline.invert({ sample, numInferenceSteps: 5, refine: { iterations: 1 } });
    assert.is(worst!.timestep, hard);
    assert.is(converged, false);
  }
});

// ---- configurations

/** What an inverse scheduler is made from, what `onWarning` is told, and what console.warn is. */
function make(create: (onWarning: (message: string) => void) => { config: { thresholding: boolean } }) {
  const told: string[] = [];
  const warned: string[] = [];
  const { warn } = console;
  console.warn = (...args) => warned.push(args.join(" "));
  try {
    return { scheduler: create((message) => told.push(message)), told, warned };
  } finally {
    console.warn = warn;
  }
}

const CONFIGS: DDIMSchedulerOptions[] = [
  {},
  { setAlphaToOne: false },
  { setAlphaToOne: false, predictionType: "sample", betaSchedule: "linear", clipSample: false },
  { betaSchedule: "scaled_linear", clipSample: false, timestepSpacing: "trailing", setAlphaToOne: false },
  { rescaleBetasZeroSnr: true, predictionType: "v_prediction", setAlphaToOne: false },
];

test("an inverse scheduler's own configuration makes the same one, and nothing is told", () => {
  for (const options of CONFIGS) {
    const inverse = new DDIMInverseScheduler(options);
    for (const config of [inverse.toConfig(), JSON.stringify(inverse.toConfig())]) {
      const { scheduler, told, warned } = make((onWarning) =>
        DDIMInverseScheduler.fromConfig(config, {}, { onWarning }),
      );
      assert.equal(scheduler.config, inverse.config);
      assert.equal([told, warned], [[], []], JSON.stringify(options));
      const silent = make(() => DDIMInverseScheduler.fromConfig(config));
      assert.equal(silent.warned, [], JSON.stringify(options));
    }
  }
});

test("an alpha product that another class's configuration leaves is still told", () => {
  const config = { set_alpha_to_one: false, _class_name: "PNDMScheduler" };
  assert.is(make((onWarning) => DDIMInverseScheduler.fromConfig(config, {}, { onWarning })).told.length, 1);
});

test("an inverse scheduler ignores thresholding, and tells so once", () => {
  const isTold = (messages: string[]) => {
    assert.is(messages.length, 1, messages.join("\n"));
    assert.match(messages[0]!, /thresholding/);
    assert.match(messages[0]!, /ignore/);
  };
  const configs = [{ thresholding: true }, JSON.stringify({ thresholding: true, _class_name: "DDIMScheduler" })];
  for (const config of configs) {
    const { scheduler, told, warned } = make((onWarning) => DDIMInverseScheduler.fromConfig(config, {}, { onWarning }));
    assert.is(scheduler.config.thresholding, false);
    isTold(told);
    assert.equal(warned, []);
  }
  const overridden = make((onWarning) => DDIMInverseScheduler.fromConfig({}, { thresholding: true }, { onWarning }));
  assert.is(overridden.scheduler.config.thresholding, false);
  isTold(overridden.told);
  assert.equal(overridden.warned, []);

  const withoutListener = make(() => DDIMInverseScheduler.fromConfig({ thresholding: true }));
  assert.is(withoutListener.scheduler.config.thresholding, false);
  isTold(withoutListener.warned);

  const constructed = make(() => new DDIMInverseScheduler({ thresholding: true }));
  assert.is(constructed.scheduler.config.thresholding, false);
  isTold(constructed.warned);
  assert.equal(make(() => new DDIMInverseScheduler({ thresholding: false })).warned, []);
});

test("an inverse scheduler that ignores thresholding clips, as its configuration says", () => {
  const options = { clipSample: true, clipSampleRange: 0.5 };
  const plain = new DDIMInverseScheduler(options);
  const { scheduler } = make(() => new DDIMInverseScheduler({ ...options, thresholding: true, sampleMaxValue: 9 }));
  for (const each of [plain, scheduler as typeof plain]) each.setTimesteps(10);
  assert.equal((scheduler as typeof plain).step(m, x, 500), plain.step(m, x, 500));
  assert.is((scheduler as typeof plain).toConfig()["thresholding"], false);
});

test.run();
