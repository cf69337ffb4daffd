import * as fc from "../fast-check.js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { exportConfig, type FileFormat, importConfig, replaceIgnored } from "../../src/schedule/config-file.js";
import {
  BETA_SCHEDULES,
  PREDICTION_TYPES,
  resolveConfig,
  SHARED_OPTIONS,
  type SchedulerOptions,
  TIMESTEP_SPACINGS,
} from "../../src/schedule/options.js";

const FORMAT: FileFormat<SchedulerOptions> = {
  className: "DDIMScheduler",
  options: SHARED_OPTIONS,
  missing: { betaSchedule: "linear" },
  ignored: {},
};

const read = (source: unknown, overrides?: SchedulerOptions, format = FORMAT) =>
  importConfig(source, overrides, format);

/** Options of every kind, those that are left out among them. */
const options: fc.Arbitrary<SchedulerOptions> = fc.record(
  {
    numTrainTimesteps: fc.integer({ min: 2, max: 2000 }),
    betaStart: fc.double({ min: 1e-9, max: 0.9, noNaN: true }),
    betaEnd: fc.double({ min: 1e-9, max: 1, noNaN: true }),
    betaSchedule: fc.constantFrom(...BETA_SCHEDULES),
    predictionType: fc.constantFrom(...PREDICTION_TYPES),
    clipSample: fc.boolean(),
    clipSampleRange: fc.double({ min: 1e-300, max: 1e300, noNaN: true }),
    thresholding: fc.boolean(),
    rescaleBetasZeroSnr: fc.boolean(),
    timestepSpacing: fc.constantFrom(...TIMESTEP_SPACINGS),
    stepsOffset: fc.nat(10),
    setAlphaToOne: fc.boolean(),
    computeDtype: fc.constantFrom("float32", "float16"),
  },
  { requiredKeys: [] },
);

test("a configuration survives being written as JSON and read again", () => {
  fc.assert(
    fc.property(options, (given) => {
      const config = resolveConfig(given, SHARED_OPTIONS);
      const exported = exportConfig(config, "DDIMScheduler");
      for (const source of [exported, JSON.stringify(exported), `\uFEFF${JSON.stringify(exported)}`]) {
        assert.equal(resolveConfig(read(source).options, SHARED_OPTIONS), config);
      }
    }),
  );
});

test("keys are written in snake_case, with the class, and lists are copied", () => {
  const config = resolveConfig({ trainedBetas: [0.1, 0.2] }, SHARED_OPTIONS);
  const exported = exportConfig(config, "SomeScheduler");
  assert.is(exported["_class_name"], "SomeScheduler");
  assert.is(exported["rescale_betas_zero_snr"], false);
  assert.is(exported["num_train_timesteps"], 2);
  assert.equal(exported["trained_betas"], [0.1, 0.2]);
  assert.is.not(exported["trained_betas"], config.trainedBetas);
  assert.is(Object.keys(exported).length, SHARED_OPTIONS.names.length + 1);
});

test("a key that is missing means what diffusers means by it, and an override comes last", () => {
  assert.equal(read({}).options, { betaSchedule: "linear" });
  assert.equal(read({ beta_schedule: "sigmoid" }).options, { betaSchedule: "sigmoid" });
  const overrides = { betaSchedule: "scaled_linear", betaEnd: undefined, clipSample: false } as const;
  assert.equal(read({ beta_schedule: "sigmoid", beta_end: 0.5 }, overrides).options, {
    betaSchedule: "scaled_linear",
    betaEnd: 0.5,
    clipSample: false,
  });
});

test("overrides are checked as options are", () => {
  assert.throws(() => read({}, { betaEnd: "1" as never }), /"betaEnd" expected/);
  assert.throws(() => read({}, { beta_end: 1 } as never), /"overrides" has no option "beta_end"/);
});

test("keys of other schedulers are told of, those of diffusers itself are not", () => {
  assert.equal(read({ _diffusers_version: "0.6.0", beta_start: 0.1 }).warnings, []);
  const { options: known, warnings } = read({ solver_order: 2, beta_start: 0.1, lower_order_final: true });
  assert.equal(known, { betaSchedule: "linear", betaStart: 0.1 });
  assert.equal(warnings, ["config: ignored what DDIMScheduler does not know: solver_order, lower_order_final"]);
});

for (const [count, end] of [
  [8, "key_6, key_7"],
  [9, "key_6, key_7 and 1 more"],
  [20, "key_6, key_7 and 12 more"],
] as const) {
  test(`of ${count} unknown keys eight are named`, () => {
    const keys = Array.from({ length: count }, (_, i) => `key_${i}`);
    const [warning] = read(Object.fromEntries(keys.map((key) => [key, 1]))).warnings;
    assert.ok(warning!.includes(": key_0, ") && warning!.endsWith(end), warning);
  });
}

test("an option that a class has no use for is replaced, and told of where it was meant otherwise", () => {
  const format = { ...FORMAT, className: "Inverse", ignored: { thresholding: false } };
  assert.equal(read({ thresholding: true }, undefined, format), {
    options: { betaSchedule: "linear", thresholding: false },
    warnings: ["thresholding: ignored, Inverse works as with false"],
  });
  assert.equal(read({ thresholding: false }, undefined, format).warnings, []);
  const given: Record<string, unknown> = { thresholding: true, betaEnd: 1 };
  assert.is(replaceIgnored(given, format).length, 1);
  assert.equal(given, { thresholding: false, betaEnd: 1 });
  assert.equal(replaceIgnored(given, format), []);
});

for (const [name, config, words] of [
  ["set_alpha_to_one of another class", { _class_name: "PNDMScheduler", set_alpha_to_one: false }, "set_alpha_to_one"],
  ["clipped latents", { beta_schedule: "scaled_linear", clip_sample: true }, "clip_sample is true"],
  ["clipped latents by default", { beta_schedule: "scaled_linear" }, "clip_sample is missing"],
  ["epsilon without a signal", { rescale_betas_zero_snr: true }, "rescale_betas_zero_snr"],
] as const) {
  test(`a setting that is seldom meant is told of: ${name}`, () => {
    const { warnings } = read(config);
    assert.is(warnings.length, 1);
    assert.ok(warnings[0]!.includes(words), warnings[0]);
  });
}

for (const [name, config] of [
  ["set_alpha_to_one of the class itself", { _class_name: "DDIMScheduler", set_alpha_to_one: false }],
  ["set_alpha_to_one of no class", { set_alpha_to_one: false }],
  ["set_alpha_to_one of another class, true", { _class_name: "PNDMScheduler", set_alpha_to_one: true }],
  ["latents that are not clipped", { beta_schedule: "scaled_linear", clip_sample: false }],
  ["latents under thresholding", { beta_schedule: "scaled_linear", thresholding: true }],
  ["velocity without a signal", { rescale_betas_zero_snr: true, prediction_type: "v_prediction" }],
] as const) {
  test(`nothing is told of ${name}`, () => assert.equal(read(config).warnings, []));
}

for (const source of [null, 5, [], "[]", "5", "null", "{", "", "{'a': 1}", new Float32Array(1)]) {
  test(`what is no configuration is refused: ${JSON.stringify(source)}`, () => {
    assert.throws(
      () => read(source),
      (error: unknown) =>
        error instanceof TypeError && error.message.startsWith('"config" expected') && error.message.length <= 500,
    );
  });
}

test("a name of another kind than text is another class's, and none of its code runs", () => {
  const toString = (): never => {
    throw new Error("code of the value ran");
  };
  for (const name of [Object.create(null), { toString }, 5, null, ["DDIMScheduler"], Symbol("name")]) {
    const { warnings } = read({ _class_name: name, set_alpha_to_one: false });
    assert.is(warnings.length, 1);
    assert.ok(warnings[0]!.includes("set_alpha_to_one is false, inherited from"), warnings[0]);
  }
});

test("the reason why text is no JSON is in the message, and the cause", () => {
  try {
    read('{"beta_start": }');
    assert.unreachable();
  } catch (error) {
    const { message, cause } = error as Error;
    assert.instance(cause, SyntaxError);
    assert.ok(message.includes((cause as Error).message.slice(0, 20)), message);
  }
});

test.run();
