import { createHash } from "node:crypto";
import { DDIMInverseScheduler, DDIMScheduler, type DDIMSchedulerOptions, type StepOptions } from "ddim-wasm";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { float64, readGolden } from "./golden.js";
import { implementations } from "./implementations.js";
import { Oracle } from "./oracle.js";

const golden = readGolden("schedule");
const quiet = { onWarning() {} };
const SPACINGS = ["linspace", "leading", "trailing"] as const;

/** The largest relative error of any entry; a truth of 0 must be met exactly. */
function entryError(actual: ArrayLike<number>, truth: ArrayLike<number>): number {
  assert.is(actual.length, truth.length);
  return Math.max(...Array.from(truth, (y, i) => (actual[i] === y ? 0 : Math.abs(actual[i]! - y) / Math.abs(y))));
}

for (const [name, { DDIMScheduler }] of Object.entries(implementations)) {
  for (const { float64: base64, ...config } of golden.alphas_cumprod) {
    const tolerance = config.rescale_betas_zero_snr ? 1e-9 : 1e-12;
    test(`${name}: alphasCumprod of ${JSON.stringify(config)} within ${tolerance}`, () => {
      const { betas, alphas, alphasCumprod } = DDIMScheduler.fromConfig(config, {}, quiet);
      const error = entryError(alphasCumprod, float64(base64));
      assert.ok(error <= tolerance, `${error}`);
      let product = 1;
      const products = alphas.map((alpha) => (product *= alpha));
      assert.ok(entryError(products, alphasCumprod) <= tolerance);
      const rests = betas.map((beta) => 1 - beta);
      assert.ok(entryError(alphas, rests) <= tolerance);
    });
  }

  test(`${name}: the sigmoid schedule`, () => {
    for (const options of [{ numTrainTimesteps: 1000 }, { numTrainTimesteps: 37, betaStart: 0.001, betaEnd: 0.2 }]) {
      const schedule = { ...options, betaSchedule: "sigmoid" } as const;
      const scheduler = new DDIMScheduler(schedule);
      const oracle = new Oracle(schedule);
      assert.ok(entryError(scheduler.betas, oracle.betas) <= 1e-12);
      assert.ok(entryError(scheduler.alphasCumprod, oracle.alphasCumprod) <= 1e-12);
    }
  });

  for (const { num_inference_steps: steps, timesteps, ...config } of golden.timesteps) {
    test(`${name}: ${steps} timesteps, ${config.timestep_spacing} over ${config.num_train_timesteps}`, () => {
      const scheduler = DDIMScheduler.fromConfig(config, {}, quiet);
      scheduler.setTimesteps(steps);
      assert.instance(scheduler.timesteps, Int32Array);
      assert.equal(Array.from(scheduler.timesteps), timesteps);
      assert.is(scheduler.numInferenceSteps, steps);
    });
  }
}

for (const [key, sha256] of Object.entries(golden.all_timesteps_sha256)) {
  test(`every number of timesteps, ${key}`, () => {
    const [total, timestepSpacing] = key.split(" ") as [string, (typeof SPACINGS)[number]];
    const scheduler = new DDIMScheduler({ numTrainTimesteps: Number(total), timestepSpacing });
    const hash = createHash("sha256");
    for (let steps = 1; steps <= Number(total); steps++) {
      scheduler.setTimesteps(steps);
      hash.update(scheduler.timesteps);
    }
    assert.is(hash.digest("hex"), sha256);
  });
}

test("trainedBetas replace the schedule", () => {
  for (const betaSchedule of ["linear", "scaled_linear", "squaredcos_cap_v2", "sigmoid"] as const) {
    const given = new DDIMScheduler({ betaSchedule, numTrainTimesteps: 100 });
    for (const trainedBetas of [given.betas, Array.from(given.betas)]) {
      const scheduler = new DDIMScheduler({ trainedBetas });
      assert.is(scheduler.config.numTrainTimesteps, 100);
      assert.equal(scheduler.betas, given.betas);
      assert.equal(scheduler.alphas, given.alphas);
      assert.equal(scheduler.alphasCumprod, given.alphasCumprod);
    }
  }
});

test("trainedBetas are rescaled to zero terminal SNR like any others", () => {
  const options = { trainedBetas: [0.01, 0.05, 0.2, 0.5], rescaleBetasZeroSnr: true };
  const scheduler = new DDIMScheduler(options);
  const oracle = new Oracle({ ...options, numTrainTimesteps: 4 });
  assert.ok(entryError(scheduler.alphasCumprod, oracle.alphasCumprod) <= 1e-12);
  assert.ok(entryError(scheduler.betas, oracle.betas) <= 1e-12);
  assert.is(scheduler.betas[3], 1);
});

test("a last beta of 1 leaves nothing of the signal", () => {
  const trained = new DDIMScheduler({ trainedBetas: [0.1, 0.5, 1] });
  assert.equal(Array.from(trained.betas), [0.1, 0.5, 1]);
  assert.equal(Array.from(trained.alphasCumprod), [0.9, 0.9 * 0.5, 0]);
  assert.is(new DDIMScheduler({ betaSchedule: "linear", betaEnd: 1 }).alphasCumprod[999], 0);
});

const OUTSIDE: [index: number, beta: string, options: DDIMSchedulerOptions][] = [
  [1, "1", { trainedBetas: [0.1, 1, 0.2] }],
  [2, "0", { trainedBetas: [0.1, 0.2, 0] }],
  [0, "-0.1", { trainedBetas: [-0.1, 0.2] }],
  [3, "1.5", { trainedBetas: [0.1, 0.2, 0.3, 1.5] }],
  [0, "1e-20", { betaSchedule: "linear", betaStart: 1e-20 }],
];
for (const [index, beta, options] of OUTSIDE) {
  test(`beta ${index} = ${beta} is refused by name`, () => {
    assert.throws(
      () => new DDIMScheduler(options),
      (error: unknown) =>
        error instanceof RangeError && new RegExp(`\\bbeta ${index}\\b.* ${beta}(?![\\d.])`).test(error.message),
    );
  });
}

test("a beta that is no finite number is refused by its place in the list", () => {
  for (const beta of [Infinity, -Infinity, NaN]) {
    assert.throws(
      () => new DDIMScheduler({ trainedBetas: [0.1, beta] }),
      (error: unknown) =>
        error instanceof RangeError && error.message === `"trainedBetas[1]" expected a finite number, got ${beta}`,
    );
  }
});

test("setAlphaToOne decides the final alpha product", () => {
  for (const betaSchedule of ["linear", "squaredcos_cap_v2"] as const) {
    assert.is(new DDIMScheduler({ betaSchedule }).finalAlphaCumprod, 1);
    const scheduler = new DDIMScheduler({ betaSchedule, setAlphaToOne: false });
    assert.is(scheduler.finalAlphaCumprod, scheduler.alphasCumprod[0]);
  }
});

test("stepsOffset shifts leading timesteps, and only these", () => {
  const list = (options: DDIMSchedulerOptions, steps: number) => {
    const scheduler = new DDIMScheduler(options);
    scheduler.setTimesteps(steps);
    return Array.from(scheduler.timesteps);
  };
  assert.equal(list({ stepsOffset: 1 }, 5), [801, 601, 401, 201, 1]);
  assert.equal(list({ stepsOffset: 199 }, 5), [999, 799, 599, 399, 199]);
  for (const timestepSpacing of ["linspace", "trailing"] as const) {
    assert.equal(list({ timestepSpacing, stepsOffset: 1 }, 1000), list({ timestepSpacing }, 1000));
  }
});

test("a stepsOffset that leaves the training steps is refused by name, and nothing changes", () => {
  for (const [stepsOffset, steps] of [
    [1, 1000],
    [200, 5],
    [1000, 1],
  ] as const) {
    const scheduler = new DDIMScheduler({ stepsOffset });
    const before = scheduler.timesteps;
    assert.throws(
      () => scheduler.setTimesteps(steps),
      (error: unknown) => error instanceof RangeError && /stepsOffset/.test(error.message),
    );
    assert.equal(scheduler.timesteps, before);
    assert.is(scheduler.numInferenceSteps, null);
  }
});

test("all timesteps are there before setTimesteps, and with as many steps", () => {
  for (const timestepSpacing of SPACINGS) {
    for (const numTrainTimesteps of [1, 2, 37, 1000]) {
      const all = Array.from({ length: numTrainTimesteps }, (_, i) => numTrainTimesteps - 1 - i);
      const scheduler = new DDIMScheduler({ timestepSpacing, numTrainTimesteps });
      assert.is(scheduler.numInferenceSteps, null);
      assert.equal(Array.from(scheduler.timesteps), all);
      scheduler.setTimesteps(numTrainTimesteps);
      assert.equal(Array.from(scheduler.timesteps), all);
    }
  }
});

test("one step", () => {
  for (const [timestepSpacing, timestep] of [
    ["linspace", 0],
    ["leading", 0],
    ["trailing", 999],
  ] as const) {
    const scheduler = new DDIMScheduler({ timestepSpacing });
    scheduler.setTimesteps(1);
    assert.equal(Array.from(scheduler.timesteps), [timestep]);
  }
});

test("numbers of steps that there are not are refused, with both numbers", () => {
  const scheduler = new DDIMScheduler({ numTrainTimesteps: 500 });
  for (const steps of [0, -1, 501, 1.5, NaN, Infinity]) {
    assert.throws(
      () => scheduler.setTimesteps(steps),
      (error: unknown) =>
        error instanceof RangeError && error.message.includes("500") && error.message.includes(`${steps}`),
    );
  }
});

test("a list of one's own", () => {
  const scheduler = new DDIMScheduler();
  for (const list of [[999, 700, 3, 0], Int32Array.of(500), BigInt64Array.of(20n, 10n)]) {
    scheduler.setTimesteps(list);
    assert.equal(Array.from(scheduler.timesteps), Array.from<number | bigint>(list).map(Number));
    assert.is(scheduler.numInferenceSteps, list.length);
  }
  const before = scheduler.timesteps;
  for (const list of [[], [1, 2], [5, 5], [1000, 1], [3, -1], [2.5], [NaN]]) {
    assert.throws(
      () => scheduler.setTimesteps(list),
      (error: unknown) => error instanceof RangeError && /"steps"/.test(error.message),
    );
    assert.equal(scheduler.timesteps, before);
  }
});

// Which timestep a step leads to is told by its result: of x = 0, m = 1 under "sample" prediction it is
// sqrt(a_p) - sqrt(1 - a_p) sqrt(a_t / (1 - a_t)).
const OBSERVED = {
  betaSchedule: "linear",
  predictionType: "sample",
  clipSample: false,
} satisfies DDIMSchedulerOptions;

/** p of a step from `timestep`: -1 for the final alpha product. */
function previousOf(scheduler: DDIMScheduler, timestep: number, options: StepOptions = {}): number {
  const { prevSample } = scheduler.step(Float32Array.of(1), Float32Array.of(0), timestep, {
    ...options,
    returnDict: true,
    out: undefined,
  });
  const oracle = new Oracle(scheduler.config);
  const distance = (previous: number) => {
    const truth = oracle.step({ modelOutput: [1], sample: [0], timesteps: [timestep], previous: [previous] });
    return Math.abs(prevSample[0]! - truth.prevSample[0]!) / Math.max(1, Math.abs(truth.prevSample[0]!));
  };
  const candidates = Array.from({ length: scheduler.config.numTrainTimesteps + 1 }, (_, i) => i - 1);
  const distances = candidates.map(distance);
  const nearest = distances.indexOf(Math.min(...distances));
  assert.ok(distances[nearest]! <= 1e-6, `no timestep is met from ${timestep}`);
  assert.is(distances.filter((d) => d <= 1e-6).length, 1, `more than one timestep is met from ${timestep}`);
  return candidates[nearest]!;
}

for (const timestepSpacing of SPACINGS) {
  const options = { ...OBSERVED, timestepSpacing, numTrainTimesteps: 100, betaEnd: 0.2 };

  test(`"stride" goes floor(T / N) down, ${timestepSpacing}`, () => {
    const scheduler = new DDIMScheduler(options);
    for (const steps of [1, 7, 61, 100]) {
      scheduler.setTimesteps(steps);
      for (const t of scheduler.timesteps) {
        assert.is(previousOf(scheduler, t), Math.max(-1, t - Math.floor(100 / steps)), `${steps} steps, from ${t}`);
      }
      if (steps === 7) assert.is(previousOf(scheduler, 50), 36, "from a timestep beside the list");
    }
  });

  test(`"schedule" goes to the next entry, ${timestepSpacing}`, () => {
    const scheduler = new DDIMScheduler({ ...options, previousTimestep: "schedule" });
    for (const steps of [1, 7, 61, 100]) {
      scheduler.setTimesteps(steps);
      const list = Array.from(scheduler.timesteps);
      assert.equal(
        list.map((t) => previousOf(scheduler, t)),
        [...list.slice(1), -1],
      );
    }
  });
}

test("a list of one's own goes to its next entry, whatever previousTimestep says", () => {
  for (const previousTimestep of ["stride", "schedule"] as const) {
    const scheduler = new DDIMScheduler({ ...OBSERVED, previousTimestep });
    scheduler.setTimesteps([999, 700, 3, 1]);
    assert.equal(
      [999, 700, 3, 1].map((t) => previousOf(scheduler, t)),
      [700, 3, 1, -1],
    );
    scheduler.setTimesteps(10);
    assert.is(previousOf(scheduler, 900), 800);
  }
});

test("prevTimestep wins, and needs no timesteps", () => {
  const scheduler = new DDIMScheduler(OBSERVED);
  assert.throws(() => previousOf(scheduler, 500), /setTimesteps/);
  assert.is(previousOf(scheduler, 500, { prevTimestep: 123 }), 123);
  scheduler.setTimesteps(10);
  assert.is(previousOf(scheduler, 500, { prevTimestep: 123 }), 123);
  assert.is(previousOf(scheduler, 500, { prevTimestep: -7 }), -1);
  assert.is(previousOf(scheduler, 500, { prevTimestep: 600 }), 600);
  scheduler.setTimesteps([999, 700]);
  assert.is(previousOf(scheduler, 999, { prevTimestep: 123 }), 123);
});

test("past the last timestep the final alpha product follows setAlphaToOne", () => {
  for (const setAlphaToOne of [true, false]) {
    const scheduler = new DDIMScheduler({ ...OBSERVED, setAlphaToOne });
    scheduler.setTimesteps(10);
    const [result] = scheduler.step(Float32Array.of(1), Float32Array.of(0), 0);
    const { prevSample } = new Oracle(scheduler.config).step({
      modelOutput: [1],
      sample: [0],
      timesteps: [0],
      previous: [-1],
    });
    assert.ok(Math.abs(result! - prevSample[0]!) <= 1e-6);
  }
});

test("a timestep that is not in the list has no next entry", () => {
  const [m, x] = [Float32Array.of(1), Float32Array.of(0)];
  const missing = (error: unknown) =>
    error instanceof RangeError && /"timestep"/.test(error.message) && error.message.includes("500");
  const own = new DDIMScheduler(OBSERVED);
  own.setTimesteps([999, 700, 3]);
  assert.throws(() => own.step(m, x, 500), missing);
  const schedule = new DDIMScheduler({ ...OBSERVED, previousTimestep: "schedule" });
  schedule.setTimesteps(7);
  assert.throws(() => schedule.step(m, x, 500), missing);
  assert.is(previousOf(schedule, 500, { prevTimestep: 400 }), 400);
});

test("timesteps are a fresh copy at every read: writing to one changes nothing", () => {
  for (const previousTimestep of ["stride", "schedule"] as const) {
    const schedulers: any[] = [new DDIMScheduler({ previousTimestep }), new DDIMInverseScheduler({ previousTimestep })];
    for (const scheduler of schedulers) {
      const check = () => {
        const { timesteps } = scheduler;
        const kept = Array.from(timesteps);
        assert.is.not(scheduler.timesteps, timesteps);
        const step = () => scheduler.step(Float32Array.of(1), Float32Array.of(0.5), kept[1]!, { prevTimestep: 0 });
        const expected = step();
        timesteps.fill(3);
        assert.equal(Array.from(scheduler.timesteps), kept);
        assert.equal(step(), expected);
        assert.is(timesteps.length, kept.length);
      };
      check();
      for (const steps of [10, [999, 700, 3]]) {
        scheduler.setTimesteps(steps);
        check();
      }
    }
  }
});

test.run();
