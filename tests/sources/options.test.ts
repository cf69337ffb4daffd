import * as fc from "../fast-check.js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { resolveConfig, SHARED_OPTIONS, type SchedulerOptions } from "../../src/schedule/options.js";

const resolve = (options?: SchedulerOptions) => resolveConfig(options, SHARED_OPTIONS);

const DEFAULTS = {
  numTrainTimesteps: 1000,
  betaStart: 0.0001,
  betaEnd: 0.02,
  betaSchedule: "squaredcos_cap_v2",
  trainedBetas: null,
  predictionType: "epsilon",
  clipSample: true,
  clipSampleRange: 1,
  thresholding: false,
  sampleMaxValue: 1,
  dynamicThresholdingRatio: 0.995,
  rescaleBetasZeroSnr: false,
  timestepSpacing: "leading",
  stepsOffset: 0,
  setAlphaToOne: true,
  previousTimestep: "stride",
  computeDtype: "float32",
};

test("without options a configuration is the defaults, and cannot be written", () => {
  for (const options of [undefined, {}, { betaEnd: undefined }]) assert.equal(resolve(options), DEFAULTS);
  assert.ok(Object.isFrozen(resolve()));
  assert.is.not(resolve(), resolve());
});

/** Values that each option takes, besides its default, and values that it refuses. */
const OPTIONS: Record<string, [taken: unknown[], refused: unknown[]]> = {
  numTrainTimesteps: [
    [1, 2, 12_345],
    [0, -1, 1.5, NaN, Infinity, "10", 10n, null],
  ],
  betaStart: [
    [1e-9, 0.5, 1 - 2 ** -53],
    [0, 1, -0.1, NaN, Infinity, "0.1"],
  ],
  betaEnd: [
    [1e-9, 0.5, 1],
    [0, -0.1, 1.5, NaN, Infinity, "0.1"],
  ],
  betaSchedule: [
    ["linear", "scaled_linear", "squaredcos_cap_v2", "sigmoid"],
    ["Linear", "", 0, null],
  ],
  predictionType: [
    ["epsilon", "sample", "v_prediction"],
    ["v-prediction", 1, null],
  ],
  clipSample: [
    [true, false],
    [0, 1, "true", null],
  ],
  clipSampleRange: [
    [2 ** -1074, 5],
    [0, -1, NaN, Infinity, "1"],
  ],
  thresholding: [
    [true, false],
    [0, 1, null],
  ],
  sampleMaxValue: [
    [1e-39, 7],
    [0, -1, NaN, Infinity],
  ],
  dynamicThresholdingRatio: [
    [1, 0.5, 1e-9],
    [0, -0.5, 1.001, NaN],
  ],
  rescaleBetasZeroSnr: [
    [true, false],
    [0, 1, null],
  ],
  timestepSpacing: [
    ["linspace", "leading", "trailing"],
    ["Leading", null],
  ],
  stepsOffset: [
    [0, 1, 999],
    [-1, 0.5, NaN, "1"],
  ],
  setAlphaToOne: [
    [true, false],
    [0, 1, null],
  ],
  previousTimestep: [
    ["stride", "schedule"],
    ["next", null],
  ],
  computeDtype: [
    ["float32", "float16"],
    ["float64", 16, null],
  ],
};

for (const [name, [taken, refused]] of Object.entries(OPTIONS)) {
  // The ends of the betas are checked only where they are used.
  const options = (value: unknown) => ({ betaSchedule: "linear", [name]: value }) as SchedulerOptions;

  test(`${name}: what it takes is in the configuration, as it was given`, () => {
    for (const value of taken) {
      const expected = { ...DEFAULTS, betaSchedule: "linear", [name]: value };
      assert.equal(resolve(options(value)), expected, String(value));
    }
  });

  test(`${name}: what it refuses is refused by its name`, () => {
    for (const value of refused) {
      assert.throws(
        () => resolve(options(value)),
        (error: Error) => /^(Type|Range)Error$/.test(error.name) && error.message.startsWith(`"${name}" expected `),
        String(value),
      );
    }
  });
}

test("every option is in the table above", () => {
  assert.equal(new Set([...Object.keys(OPTIONS), "trainedBetas"]), new Set(SHARED_OPTIONS.names));
  assert.equal(new Set(Object.keys(DEFAULTS)), new Set(SHARED_OPTIONS.names));
});

test("betas of one's own: T is their number, and they are copied", () => {
  const list = [0.1, 0.2, 0.3];
  for (const trainedBetas of [list, Float64Array.from(list), { length: 3, 0: 0.1, 1: 0.2, 2: 0.3 }]) {
    const config = resolve({ trainedBetas });
    assert.equal(config.trainedBetas, list);
    assert.ok(Object.isFrozen(config.trainedBetas));
    assert.is.not(config.trainedBetas, trainedBetas);
    assert.is(config.numTrainTimesteps, 3);
  }
  assert.is(resolve({ trainedBetas: list, numTrainTimesteps: 3 }).numTrainTimesteps, 3);
  assert.throws(
    () => resolve({ trainedBetas: list, numTrainTimesteps: 4 }),
    /"trainedBetas" expected .*4 values, got 3/,
  );
});

for (const trainedBetas of [[], "0.1", 0.1, ["0.1"], [NaN], [0.1, Infinity], { length: 2, 0: 0.1 }, { length: 1e12 }]) {
  test(`betas of one's own are refused: ${JSON.stringify(trainedBetas)}`, () => {
    assert.throws(
      () => resolve({ trainedBetas: trainedBetas as never }),
      (error: Error) => /^(Type|Range)Error$/.test(error.name) && error.message.startsWith('"trainedBetas'),
    );
  });
}

test("the ends of the betas do not matter where a schedule has its own", () => {
  const ends = { betaStart: 5, betaEnd: 7 };
  assert.is(resolve({ ...ends, betaSchedule: "squaredcos_cap_v2" }).betaEnd, 7);
  assert.is(resolve({ ...ends, betaSchedule: "linear", trainedBetas: [0.1] }).betaStart, 5);
  for (const betaSchedule of ["linear", "scaled_linear", "sigmoid"] as const) {
    assert.throws(() => resolve({ ...ends, betaSchedule }), /"betaStart" expected/);
  }
});

test("without a signal at the end there are two timesteps at least", () => {
  assert.throws(
    () => resolve({ rescaleBetasZeroSnr: true, numTrainTimesteps: 1 }),
    /"numTrainTimesteps" expected .*>= 2/,
  );
  assert.is(resolve({ rescaleBetasZeroSnr: true, numTrainTimesteps: 2 }).numTrainTimesteps, 2);
});

test("each option is read once", () => {
  const reads: string[] = [];
  const options = { numTrainTimesteps: 3, trainedBetas: [0.1, 0.2, 0.3], betaEnd: 0.5 };
  const observed = Object.defineProperties(
    {},
    Object.fromEntries(
      Object.entries(options).map(([name, value]) => [
        name,
        {
          enumerable: true,
          get: () => {
            reads.push(name);
            return value;
          },
        },
      ]),
    ),
  );
  resolve(observed);
  assert.is(reads.length, 3);
  assert.equal(new Set(reads), new Set(Object.keys(options)));
});

test("what is inherited is no option, and what is no plain object holds none", () => {
  const prototype = Object.prototype as unknown as Record<string, unknown>;
  prototype["betaEnd"] = 0.5;
  try {
    assert.is(resolve({}).betaEnd, 0.02);
  } finally {
    delete prototype["betaEnd"];
  }
  for (const options of [null, 5, "", [], new Map(), Promise.resolve(), new Error("")]) {
    assert.throws(
      () => resolve(options as never),
      (error: unknown) => error instanceof TypeError,
    );
  }
});

test("an unknown option is refused, however long its name", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 5000 }), (name) => {
      fc.pre(!SHARED_OPTIONS.names.includes(name) && name !== "__proto__");
      assert.throws(
        () => resolve({ [name]: 1 } as never),
        (error: unknown) =>
          error instanceof TypeError && error.message.includes("has no option") && error.message.length <= 500,
      );
    }),
  );
});

test.run();
