// Configurations of the samplers: their own, one another's, and the class that one names.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { implementations } from "./implementations.js";
import { STABLE_DIFFUSION } from "./stable-diffusion-config.js";

const library = implementations.simd;
const {
  DDIMInverseScheduler,
  DDIMScheduler,
  DPMSolverMultistepScheduler,
  LCMScheduler,
  schedulerFromConfig,
  TCDScheduler,
} = library;

const CLASSES = { DDIMScheduler, LCMScheduler, TCDScheduler, DPMSolverMultistepScheduler } as unknown as Record<
  string,
  typeof DDIMScheduler
>;

/** What `load` gives, and what it warned of. */
function loading<T>(load: (reporting: { onWarning: (message: string) => void }) => T): [T, string[]] {
  const warnings: string[] = [];
  return [load({ onWarning: (message) => warnings.push(message) }), warnings];
}

/** As diffusers saves them, every default in its place. */
const DISTILLED = {
  beta_end: 0.012,
  beta_schedule: "scaled_linear",
  beta_start: 0.00085,
  clip_sample: false,
  clip_sample_range: 1.0,
  dynamic_thresholding_ratio: 0.995,
  num_train_timesteps: 1000,
  original_inference_steps: 50,
  prediction_type: "epsilon",
  rescale_betas_zero_snr: false,
  sample_max_value: 1.0,
  set_alpha_to_one: true,
  steps_offset: 0,
  thresholding: false,
  timestep_scaling: 10.0,
  timestep_spacing: "leading",
  trained_betas: null,
};
const DPM = `{
  "_class_name": "DPMSolverMultistepScheduler",
  "_diffusers_version": "0.30.0",
  "algorithm_type": "dpmsolver++",
  "beta_end": 0.02,
  "beta_schedule": "linear",
  "beta_start": 0.0001,
  "dynamic_thresholding_ratio": 0.995,
  "euler_at_final": false,
  "final_sigmas_type": "sigma_min",
  "lambda_min_clipped": -Infinity,
  "lower_order_final": true,
  "num_train_timesteps": 1000,
  "prediction_type": "v_prediction",
  "rescale_betas_zero_snr": false,
  "sample_max_value": 1.0,
  "solver_order": 2,
  "solver_type": "heun",
  "steps_offset": 0,
  "thresholding": false,
  "timestep_spacing": "trailing",
  "trained_betas": null,
  "use_beta_sigmas": false,
  "use_exponential_sigmas": false,
  "use_flow_sigmas": false,
  "use_karras_sigmas": false,
  "use_lu_lambdas": false,
  "variance_type": null
}`;

test("defaults are diffusers'", () => {
  const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  for (const Class of [LCMScheduler, TCDScheduler]) {
    const config = Object.fromEntries(Object.entries(new Class().config).map(([name, value]) => [snake(name), value]));
    assert.equal(config, { ...DISTILLED, compute_dtype: "float32" });
  }
  assert.equal(new DPMSolverMultistepScheduler().config, {
    numTrainTimesteps: 1000,
    betaStart: 0.0001,
    betaEnd: 0.02,
    betaSchedule: "linear",
    trainedBetas: null,
    predictionType: "epsilon",
    thresholding: false,
    sampleMaxValue: 1,
    dynamicThresholdingRatio: 0.995,
    rescaleBetasZeroSnr: false,
    timestepSpacing: "linspace",
    stepsOffset: 0,
    computeDtype: "float32",
    solverOrder: 2,
    algorithmType: "dpmsolver++",
    solverType: "midpoint",
    lowerOrderFinal: true,
    eulerAtFinal: false,
    finalSigmasType: "zero",
  });
});

for (const [name, Class] of Object.entries(CLASSES)) {
  test(`${name}: what toConfig writes is read without a warning`, () => {
    const scheduler = new Class({ numTrainTimesteps: 100, predictionType: "sample", betaSchedule: "linear" });
    const config = scheduler.toConfig();
    assert.is(config["_class_name"], name);
    for (const load of [Class.fromConfig.bind(Class), schedulerFromConfig] as (typeof Class.fromConfig)[]) {
      const [loaded, warnings] = loading((reporting) => load.call(Class, JSON.stringify(config), {}, reporting));
      assert.equal(warnings, []);
      assert.instance(loaded, Class);
      assert.equal((loaded as typeof scheduler).config, scheduler.config);
    }
  });

  test(`${name}: from Stable Diffusion's folder, and from every other sampler's configuration`, () => {
    const [scheduler, warnings] = loading((reporting) => Class.fromConfig(STABLE_DIFFUSION, {}, reporting));
    assert.is(scheduler.config.betaSchedule, "scaled_linear");
    assert.is(scheduler.config.betaEnd, 0.012);
    assert.match(warnings.join("\n"), /ignored what \w+ does not know: .*skip_prk_steps/);
    for (const Other of Object.values(CLASSES)) {
      const other = new Other({ numTrainTimesteps: 100, betaSchedule: "linear", predictionType: "v_prediction" });
      const [loaded] = loading((reporting) => Class.fromConfig(other.toConfig(), {}, reporting));
      const { numTrainTimesteps, predictionType, betaEnd } = loaded.config;
      assert.equal([numTrainTimesteps, predictionType, betaEnd], [100, "v_prediction", other.config.betaEnd]);
      assert.equal(loaded.alphasCumprod, other.alphasCumprod);
    }
  });
}

test("LCM and TCD: a folder of their own is read without a warning", () => {
  for (const name of ["LCMScheduler", "TCDScheduler"]) {
    const [scheduler, warnings] = loading((reporting) =>
      schedulerFromConfig({ ...DISTILLED, _class_name: name, _diffusers_version: "0.30.0" }, {}, reporting),
    );
    assert.instance(scheduler, CLASSES[name]!);
    assert.equal(warnings, []);
  }
});

test("LCM: what has no effect is told", () => {
  const [scheduler, warnings] = loading((reporting) => LCMScheduler.fromConfig(STABLE_DIFFUSION, {}, reporting));
  assert.equal(warnings, [
    "config: ignored what LCMScheduler does not know: skip_prk_steps",
    "stepsOffset: ignored, LCMScheduler works as with 0",
    "setAlphaToOne: ignored, LCMScheduler works as with true",
  ]);
  assert.equal([scheduler.config.stepsOffset, scheduler.config.setAlphaToOne], [0, true]);
  const [, told] = loading((reporting) => LCMScheduler.fromConfig({ timestep_spacing: "trailing" }, {}, reporting));
  assert.equal(told, ['timestepSpacing: ignored, LCMScheduler works as with "leading"']);
  // Without a clip_sample there is no clipping, and no warning.
  assert.equal(loading((reporting) => LCMScheduler.fromConfig({}, {}, reporting))[1], []);
  assert.is(LCMScheduler.fromConfig({}).config.betaSchedule, "scaled_linear");
});

test("TCD: the last step ends at alphasCumprod[0], which is told of another class's false alone", () => {
  const [, warnings] = loading((reporting) => TCDScheduler.fromConfig(STABLE_DIFFUSION, {}, reporting));
  assert.match(warnings.join("\n"), /set_alpha_to_one is false, inherited from "PNDMScheduler"/);
  const own = { _class_name: "TCDScheduler", set_alpha_to_one: false };
  assert.equal(loading((reporting) => TCDScheduler.fromConfig(own, {}, reporting))[1], []);
});

test("LCM: options out of bounds", () => {
  for (const originalInferenceSteps of [0, 1.5, -1]) {
    assert.throws(
      () => new LCMScheduler({ originalInferenceSteps }),
      /"originalInferenceSteps" expected an integer >= 1/,
    );
  }
  assert.throws(() => new LCMScheduler({ originalInferenceSteps: "50" as never }), TypeError);
  for (const timestepScaling of [0, -1, NaN]) {
    assert.throws(() => new LCMScheduler({ timestepScaling }), /"timestepScaling" expected a finite number > 0/);
  }
});

test("DPM-Solver++: a folder of its own is read whole, Python's -Infinity included, without a warning", () => {
  const [scheduler, warnings] = loading((reporting) => schedulerFromConfig(DPM, {}, reporting));
  assert.equal(warnings, []);
  assert.instance(scheduler, DPMSolverMultistepScheduler);
  const { solverType, finalSigmasType, timestepSpacing, predictionType } = (
    scheduler as InstanceType<typeof DPMSolverMultistepScheduler>
  ).config;
  assert.equal(
    [solverType, finalSigmasType, timestepSpacing, predictionType],
    ["heun", "sigma_min", "trailing", "v_prediction"],
  );
  assert.is(scheduler.finalAlphaCumprod, scheduler.alphasCumprod[0]);
  assert.is(new DPMSolverMultistepScheduler().finalAlphaCumprod, 1);
});

test("DPM-Solver++: its own keys mean nothing to the others", () => {
  for (const Class of [DDIMScheduler, LCMScheduler, TCDScheduler]) {
    const [, warnings] = loading((reporting) => (Class as typeof DDIMScheduler).fromConfig(DPM, {}, reporting));
    assert.match(warnings[0]!, /ignored what \w+ does not know: algorithm_type, euler_at_final, final_sigmas_type/);
  }
});

const REFUSED: [key: string, value: unknown, message: RegExp][] = [
  ["algorithm_type", "sde-dpmsolver++", /"algorithmType" expected one of "dpmsolver\+\+", got "sde-dpmsolver\+\+"/],
  ["algorithm_type", "sde-dpmsolver", /"algorithmType"/],
  ["algorithm_type", "dpmsolver", /"algorithmType"/],
  ["solver_order", 3, /"solverOrder" expected 1 or 2, got 3/],
  ["solver_type", "other", /"solverType" expected one of "midpoint", "heun", got "other"/],
  ["final_sigmas_type", "sigma_max", /"finalSigmasType"/],
  ["use_karras_sigmas", true, /"config.use_karras_sigmas" expected nothing.*got true/],
  ["use_exponential_sigmas", true, /"config.use_exponential_sigmas"/],
  ["use_beta_sigmas", true, /"config.use_beta_sigmas"/],
  ["use_lu_lambdas", true, /"config.use_lu_lambdas"/],
  ["use_flow_sigmas", true, /"config.use_flow_sigmas"/],
  ["lambda_min_clipped", -5.1, /"config.lambda_min_clipped" expected nothing.*got -5.1/],
  ["variance_type", "learned_range", /"config.variance_type" expected none.*learnedVariance: true/],
  ["variance_type", "learned", /"config.variance_type"/],
  ["prediction_type", "flow_prediction", /"predictionType"/],
];

for (const [key, value, message] of REFUSED) {
  test(`DPM-Solver++ refuses ${key} ${value}`, () => {
    const config = { _class_name: "DPMSolverMultistepScheduler", [key]: value };
    for (const load of [() => DPMSolverMultistepScheduler.fromConfig(config), () => schedulerFromConfig(config)]) {
      assert.throws(load, (error: Error) => error instanceof RangeError && message.test(error.message));
    }
  });
}

test("a class name that is no text names none", () => {
  for (const name of [["PNDMScheduler"], { toString: () => "PNDMScheduler" }, undefined]) {
    assert.throws(() => schedulerFromConfig({ _class_name: name }), /"config._class_name" expected DDIMScheduler/);
  }
});

test("DPM-Solver++: a variance_type that is no text is none that is learned", () => {
  for (const variance_type of [Object.create(null), null, 5, "fixed_small"]) {
    DPMSolverMultistepScheduler.fromConfig({ variance_type }, {}, { onWarning: assert.unreachable });
  }
  for (const variance_type of ["learned", "learned_range"]) {
    assert.throws(
      () => DPMSolverMultistepScheduler.fromConfig({ variance_type }),
      /^"config.variance_type" expected none/,
    );
  }
});

test("DPM-Solver++: what does not change the picture is taken", () => {
  for (const harmless of [
    { use_karras_sigmas: null },
    { lambda_min_clipped: null },
    { lambda_min_clipped: -Infinity },
    { variance_type: "fixed_small" },
    { solver_type: "bh1" },
    { algorithm_type: "deis" },
  ]) {
    const [, warnings] = loading((reporting) => DPMSolverMultistepScheduler.fromConfig(harmless, {}, reporting));
    assert.equal(warnings, [], JSON.stringify(harmless));
  }
  // Overrides replace what would be refused, where they are options.
  assert.is(DPMSolverMultistepScheduler.fromConfig({ solver_order: 3 }, { solverOrder: 2 }).config.solverOrder, 2);
});

test("schedulerFromConfig: DDIM stands in for classes of the same schedule, and says so", () => {
  for (const name of [
    "PNDMScheduler",
    "DDPMScheduler",
    "EulerDiscreteScheduler",
    "EulerAncestralDiscreteScheduler",
    "HeunDiscreteScheduler",
    "LMSDiscreteScheduler",
    "KDPM2DiscreteScheduler",
    "KDPM2AncestralDiscreteScheduler",
    "UniPCMultistepScheduler",
    "DEISMultistepScheduler",
    "DPMSolverSinglestepScheduler",
    "DPMSolverSDEScheduler",
    "DDIMParallelScheduler",
  ]) {
    const [scheduler, warnings] = loading((reporting) =>
      schedulerFromConfig({ ...STABLE_DIFFUSION, _class_name: name }, { clipSample: false }, reporting),
    );
    assert.instance(scheduler, DDIMScheduler);
    const last = warnings.at(-1);
    assert.is(last, `config: a DDIMScheduler stands in for the ${name} that it names, with the same noise schedule`);
  }
});

test("schedulerFromConfig: the inverse scheduler where it is named", () => {
  const config = new DDIMInverseScheduler().toConfig();
  assert.instance(schedulerFromConfig(config), DDIMInverseScheduler);
});

test("schedulerFromConfig: any other class is an error that names it", () => {
  for (const name of [
    "FlowMatchEulerDiscreteScheduler",
    "EDMEulerScheduler",
    "DPMSolverMultistepInverseScheduler",
    "VQDiffusionScheduler",
    "constructor",
    "",
    undefined,
    5,
  ]) {
    assert.throws(
      () => schedulerFromConfig({ _class_name: name }),
      (error: Error) =>
        error instanceof RangeError &&
        error.message.startsWith('"config._class_name" expected DDIMScheduler, ') &&
        error.message.endsWith(`got ${name === undefined ? "undefined" : JSON.stringify(name)}`),
    );
  }
  assert.throws(() => schedulerFromConfig("no JSON"), TypeError);
  assert.throws(() => schedulerFromConfig({}, {}, { onWarning: 1 } as never), /"onWarning"/);
  assert.throws(() => schedulerFromConfig(DPM, { clipSample: true }), /"overrides" has no option "clipSample"/);
});

test.run();
