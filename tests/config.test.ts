// Configurations: from a scheduler_config.json and back, and what is told on the way.

import * as fc from "./fast-check.js";
import { inspect } from "node:util";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { DDIMSchedulerOptions } from "ddim-wasm";
import { implementations } from "./implementations.js";
import { STABLE_DIFFUSION } from "./stable-diffusion-config.js";

const { DDIMScheduler } = implementations.simd;

/** diffusers' DDIMScheduler, all defaults, in the keys of its scheduler_config.json. */
const DIFFUSERS_DEFAULTS = {
  num_train_timesteps: 1000,
  beta_start: 0.0001,
  beta_end: 0.02,
  beta_schedule: "linear",
  trained_betas: null,
  clip_sample: true,
  set_alpha_to_one: true,
  steps_offset: 0,
  prediction_type: "epsilon",
  thresholding: false,
  dynamic_thresholding_ratio: 0.995,
  clip_sample_range: 1,
  sample_max_value: 1,
  timestep_spacing: "leading",
  rescale_betas_zero_snr: false,
};

/** A scheduler from a configuration, and what was told. */
function load(config: string | object, overrides?: DDIMSchedulerOptions) {
  const told: string[] = [];
  const scheduler = DDIMScheduler.fromConfig(config, overrides, { onWarning: (message) => told.push(message) });
  return { scheduler, told };
}

/** A configuration's own name for an option. */
const keyOf = (option: string) => option.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

test("what a configuration leaves out is as diffusers has it, and as the constructor has it but for the betas", () => {
  const { scheduler, told } = load({});
  assert.equal(told, []);
  const { _class_name, previous_timestep, compute_dtype, ...rest } = scheduler.toConfig();
  assert.equal(rest, DIFFUSERS_DEFAULTS);
  assert.equal([_class_name, previous_timestep, compute_dtype], ["DDIMScheduler", "stride", "float32"]);
  assert.equal(new DDIMScheduler().config, { ...scheduler.config, betaSchedule: "squaredcos_cap_v2" });
  assert.equal(load(DIFFUSERS_DEFAULTS).scheduler.config, scheduler.config);
});

test("text and what it parses to give the same scheduler", () => {
  const fromObject = load(STABLE_DIFFUSION);
  for (const text of [JSON.stringify(STABLE_DIFFUSION), `\n${JSON.stringify(STABLE_DIFFUSION, null, 2)}\n`]) {
    const fromText = load(text);
    assert.equal(fromText.scheduler.config, fromObject.scheduler.config);
    assert.equal(fromText.told, fromObject.told);
  }
  const { config } = fromObject.scheduler;
  assert.equal(config, {
    ...load({}).scheduler.config,
    betaStart: 0.00085,
    betaEnd: 0.012,
    betaSchedule: "scaled_linear",
    clipSample: false,
    setAlphaToOne: false,
    stepsOffset: 1,
  });
});

/** A value for every option that is not its default. */
const OTHERS: Required<DDIMSchedulerOptions> = {
  numTrainTimesteps: 7,
  betaStart: 0.001,
  betaEnd: 0.03,
  betaSchedule: "sigmoid",
  trainedBetas: [0.1, 0.2, 0.3],
  predictionType: "v_prediction",
  clipSample: false,
  clipSampleRange: 2,
  thresholding: true,
  sampleMaxValue: 1.5,
  dynamicThresholdingRatio: 0.9,
  rescaleBetasZeroSnr: true,
  timestepSpacing: "trailing",
  stepsOffset: 1,
  setAlphaToOne: false,
  previousTimestep: "schedule",
  computeDtype: "float16",
};

test("every option has a key, and an override takes its place", () => {
  const defaults = load({}).scheduler.config;
  assert.equal(new Set(Object.keys(OTHERS)), new Set(Object.keys(defaults)));
  for (const [option, value] of Object.entries(OTHERS)) {
    const fallback = defaults[option as keyof typeof defaults];
    assert.not.equal(value, fallback);
    const consequence = option === "trainedBetas" ? { numTrainTimesteps: 3 } : {};
    const expected = { ...defaults, ...consequence, [option]: value };
    const config = { [keyOf(option)]: value };
    assert.equal(load(config).scheduler.config, expected, option);
    assert.equal(load({}, { [option]: value }).scheduler.config, expected, option);
    assert.equal(load(config, { [option]: undefined }).scheduler.config, expected, option);
    if (option !== "numTrainTimesteps") {
      assert.equal(load(config, { [option]: fallback }).scheduler.config, defaults, option);
    }
  }
});

test("a configuration is read, not changed or kept", () => {
  const config = { trained_betas: [0.1, 0.2] };
  const overrides = { clipSample: false };
  const frozen = load(Object.freeze(config), Object.freeze(overrides)).scheduler;
  assert.equal(config, { trained_betas: [0.1, 0.2] });
  config.trained_betas[0] = 0.9;
  assert.equal(frozen.config.trainedBetas, [0.1, 0.2]);
  assert.equal(Array.from(frozen.betas), [0.1, 0.2]);
});

test("what DDIM does not know is ignored and told in one message", () => {
  assert.equal(load(STABLE_DIFFUSION).told.filter((message) => message.includes("ignored")).length, 1);
  assert.match(load(STABLE_DIFFUSION).told[0]!, /ignored.*: skip_prk_steps$/);
  const { scheduler, told } = load(
    '{ "constructor": 1, "toString": "x", "__proto__": { "beta_start": 0.5 }, "eta": 0 }',
  );
  assert.is(told.length, 1);
  assert.match(told[0]!, /constructor, toString, eta$/);
  assert.equal(scheduler.config, load({}).scheduler.config);
  assert.equal(load({ _class_name: "DDIMScheduler", _diffusers_version: "0.30.0" }).told, []);
  assert.match(load({ betaStart: 0.1 }).told[0]!, /ignored.*: betaStart$/);
});

const latent = { beta_schedule: "scaled_linear" };
const zeroSnr = { rescale_betas_zero_snr: true };

// The inherited traps: each configuration, what replaces parts of it, and what the one message names; none: no message.
const TRAPS: [config: object, overrides: DDIMSchedulerOptions, ...words: string[]][] = [
  [{ _class_name: "PNDMScheduler", set_alpha_to_one: false }, {}, "set_alpha_to_one", "PNDMScheduler"],
  [{ _class_name: "EulerDiscreteScheduler", set_alpha_to_one: false }, {}, "set_alpha_to_one", "EulerDiscrete"],
  [{ _class_name: "DDIMScheduler", set_alpha_to_one: false }, {}],
  [{ set_alpha_to_one: false }, {}],
  [{ _class_name: "PNDMScheduler", set_alpha_to_one: true }, {}],
  [{ _class_name: "PNDMScheduler" }, {}],
  [{ _class_name: "PNDMScheduler", set_alpha_to_one: false }, { setAlphaToOne: true }],
  [latent, {}, "clip_sample", "missing", "scaled_linear"],
  [{ ...latent, clip_sample: true }, {}, "clip_sample", "true", "scaled_linear"],
  [{ ...latent, clip_sample: false }, {}],
  [latent, { clipSample: false }],
  [latent, { betaSchedule: "linear" }],
  [{ beta_schedule: "linear", clip_sample: true }, {}],
  [{ beta_schedule: "squaredcos_cap_v2" }, {}],
  [zeroSnr, {}, "rescale_betas_zero_snr", "epsilon", "v_prediction"],
  [{ ...zeroSnr, prediction_type: "epsilon" }, {}, "rescale_betas_zero_snr", "epsilon", "v_prediction"],
  [{ ...zeroSnr, prediction_type: "v_prediction" }, {}],
  [{ ...zeroSnr, prediction_type: "sample" }, {}],
  [zeroSnr, { predictionType: "v_prediction" }],
  [zeroSnr, { rescaleBetasZeroSnr: false }],
  [{ rescale_betas_zero_snr: false, prediction_type: "epsilon" }, {}],
];

for (const [config, overrides, ...words] of TRAPS) {
  const given = `${JSON.stringify(config)} with ${JSON.stringify(overrides)}`;
  test(`${given} tells ${words.length > 0 ? `of ${words.join(", ")}` : "nothing"}`, () => {
    const { told } = load(config, overrides);
    assert.is(told.length, words.length > 0 ? 1 : 0, told.join("\n"));
    for (const word of words) assert.ok(told[0]!.includes(word), `${word} is not in: ${told[0]}`);
  });
}

test("each trap and what was ignored have a message of their own", () => {
  const { told } = load({
    ...latent,
    ...zeroSnr,
    _class_name: "X",
    set_alpha_to_one: false,
    solver_order: 2,
    lower: 1,
  });
  assert.is(told.length, 4);
  for (const word of ["solver_order, lower", "set_alpha_to_one", "clip_sample", "rescale_betas_zero_snr"]) {
    assert.is(told.filter((message) => message.includes(word)).length, 1, word);
  }
});

test("console.warn is told, unless onWarning is given", () => {
  const { warn } = console;
  const warned: unknown[][] = [];
  console.warn = (...args) => warned.push(args);
  try {
    const { told } = load(STABLE_DIFFUSION);
    assert.ok(new DDIMScheduler({ betaSchedule: "scaled_linear", rescaleBetasZeroSnr: true }));
    assert.equal(warned, []);
    for (const options of [undefined, {}, { onWarning: undefined }]) {
      DDIMScheduler.fromConfig(STABLE_DIFFUSION, {}, options);
      const messages = warned.splice(0).map((args) => args.join(" "));
      assert.is(messages.length, told.length);
      for (const [i, message] of messages.entries()) {
        assert.ok(message.includes("ddim-wasm"));
        assert.ok(message.includes(told[i]!));
      }
    }
    DDIMScheduler.fromConfig({});
    assert.equal(warned, []);
  } finally {
    console.warn = warn;
  }
});

test("nothing is told of a configuration that is refused", () => {
  const told: string[] = [];
  const onWarning = (message: string) => told.push(message);
  assert.throws(() => DDIMScheduler.fromConfig({ solver_order: 2, beta_schedule: "laplace" }, {}, { onWarning }));
  assert.equal(told, []);
});

const options: fc.Arbitrary<DDIMSchedulerOptions> = fc.record(
  {
    numTrainTimesteps: fc.integer({ min: 2, max: 60 }),
    betaStart: fc.double({ min: 1e-5, max: 0.01, noNaN: true }),
    betaEnd: fc.double({ min: 0.01, max: 0.5, noNaN: true }),
    betaSchedule: fc.constantFrom("linear", "scaled_linear", "squaredcos_cap_v2", "sigmoid"),
    predictionType: fc.constantFrom("epsilon", "sample", "v_prediction"),
    clipSample: fc.boolean(),
    clipSampleRange: fc.double({ min: 1e-3, max: 100, noNaN: true }),
    thresholding: fc.boolean(),
    sampleMaxValue: fc.double({ min: 1e-3, max: 100, noNaN: true }),
    dynamicThresholdingRatio: fc.double({ min: 1e-9, max: 1, noNaN: true }),
    rescaleBetasZeroSnr: fc.boolean(),
    timestepSpacing: fc.constantFrom("linspace", "leading", "trailing"),
    stepsOffset: fc.nat(3),
    setAlphaToOne: fc.boolean(),
    previousTimestep: fc.constantFrom("stride", "schedule"),
    computeDtype: fc.constantFrom("float32", "float16"),
  },
  { requiredKeys: [] },
);
const trainedBetas = fc.array(fc.double({ min: 1e-5, max: 0.5, noNaN: true }), { minLength: 2, maxLength: 60 });

test("a scheduler's configuration makes the same scheduler, as an object or as text", () => {
  fc.assert(
    fc.property(options, fc.option(trainedBetas, { nil: null }), ({ numTrainTimesteps, ...others }, betas) => {
      const count = betas ? {} : { numTrainTimesteps };
      const scheduler = new DDIMScheduler({ ...others, ...count, trainedBetas: betas });
      const exported = scheduler.toConfig();
      assert.is(exported["_class_name"], "DDIMScheduler");
      assert.equal(new Set(Object.keys(exported)), new Set(["_class_name", ...Object.keys(OTHERS).map(keyOf)]));
      for (const source of [exported, JSON.stringify(exported)]) {
        const { scheduler: again, told } = load(source);
        assert.equal(
          told.filter((message) => message.includes("ignored")),
          [],
        );
        assert.equal(again.config, scheduler.config);
        assert.equal(again.toConfig(), exported);
        for (const table of ["betas", "alphas", "alphasCumprod", "timesteps"] as const) {
          assert.equal(again[table], scheduler[table], table);
        }
        assert.is(again.finalAlphaCumprod, scheduler.finalAlphaCumprod);
      }
    }),
    { seed: 1, numRuns: 200 },
  );
});

test("config holds every option, and nothing can change it", () => {
  const betas = [0.1, 0.2, 0.3];
  const given: DDIMSchedulerOptions = { clipSample: false, trainedBetas: betas };
  const scheduler = new DDIMScheduler(given);
  const before = structuredClone(scheduler.config);
  assert.equal(new Set(Object.keys(before)), new Set(Object.keys(OTHERS)));
  assert.is(before.numTrainTimesteps, 3);

  betas[0] = 0.9;
  given.clipSample = true;
  const exported = scheduler.toConfig() as { trained_betas: number[]; clip_sample: boolean };
  exported.trained_betas[0] = 0.9;
  exported.clip_sample = true;
  const config = scheduler.config as unknown as { clipSample: boolean; trainedBetas: number[] };
  assert.throws(
    () => (config.clipSample = true),
    (error: unknown) => error instanceof TypeError,
  );
  assert.throws(
    () => (config.trainedBetas[0] = 0.9),
    (error: unknown) => error instanceof TypeError,
  );
  assert.equal(scheduler.config, before);
  assert.equal(load({}).scheduler.config.trainedBetas, null);
});

test("a class of one's own makes its own", () => {
  class Mine extends DDIMScheduler {
    readonly mine = true;
  }
  const scheduler = Mine.fromConfig(new Mine({ clipSample: false }).toConfig());
  assert.instance(scheduler, Mine);
  assert.is((scheduler as Mine).mine, true);
  assert.is(scheduler.config.clipSample, false);
});

test("betaStart and betaEnd are finite, where a schedule ignores them too: JSON has no other numbers", () => {
  const classes: any[] = [DDIMScheduler, implementations.simd.DDIMInverseScheduler];
  for (const Scheduler of classes) {
    for (const name of ["betaStart", "betaEnd"] as const) {
      for (const value of [Infinity, -Infinity, NaN]) {
        for (const others of [{}, { betaSchedule: "squaredcos_cap_v2" }, { trainedBetas: [0.1, 0.2] }] as const) {
          const isRefused = (error: unknown) =>
            error instanceof RangeError &&
            error.message.startsWith(`"${name}"`) &&
            error.message.includes(Number.isNaN(value) ? "number" : "finite number") &&
            error.message.includes(`got ${value}`);
          assert.throws(() => new Scheduler({ ...others, [name]: value }), isRefused);
          assert.throws(() => Scheduler.fromConfig({}, { ...others, [name]: value }), isRefused);
          assert.throws(() => Scheduler.fromConfig({ [keyOf(name)]: value }, others), isRefused);
        }
      }
      for (const value of [2, -1, 0, 1e300]) {
        const scheduler = new Scheduler({ [name]: value });
        const again = Scheduler.fromConfig(JSON.stringify(scheduler.toConfig()));
        assert.equal(again.config, scheduler.config);
      }
    }
  }
});

test("console.log shows a scheduler's configuration, and no tables", () => {
  const scheduler = new DDIMScheduler({ betaSchedule: "linear" });
  scheduler.setTimesteps(50);
  const shown = inspect(scheduler);
  assert.match(shown, /^DDIMScheduler {/);
  assert.match(shown, "betaSchedule: 'linear'");
  assert.ok(shown.length < 1000, shown);
  assert.is(scheduler.betas.length, 1000);
});

test.run();
