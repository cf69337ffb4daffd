// diffusers' own test suite of its DPMSolverMultistepScheduler (tests/schedulers/test_scheduler_dpm_multi.py), with the
// numbers that it expects and its tolerances.
//
// What does not apply: solver_order 3, algorithm_type "dpmsolver", "sde-dpmsolver" and "sde-dpmsolver++",
// test_full_loop_with_karras_and_v_prediction, test_full_loop_with_lu_and_v_prediction, test_beta_sigmas,
// test_exponential_sigmas, lambda_min_clipped = -5.1 and variance_type = "learned_range": these are refused, which is
// tested. 1,000 of 1,000 steps (test_inference_steps, test_duplicated_timesteps) visit a timestep twice under
// "linspace", and are refused. test_from_save_pretrained is empty there.

import type { DPMSolverMultistepSchedulerOptions, StepHistory } from "ddim-wasm";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { COUNT, DIMS, model, NOISE, RESIDUAL, SAMPLE, sumOf, type Sample } from "./diffusers-suite.js";
import { implementations } from "./implementations.js";
import { normalTensor } from "./tensors.js";

const CONFIG: DPMSolverMultistepSchedulerOptions = {
  numTrainTimesteps: 1000,
  betaStart: 0.0001,
  betaEnd: 0.02,
  betaSchedule: "linear",
  solverOrder: 2,
  predictionType: "epsilon",
  thresholding: false,
  sampleMaxValue: 1,
  algorithmType: "dpmsolver++",
  solverType: "midpoint",
  lowerOrderFinal: false,
  eulerAtFinal: false,
  finalSigmasType: "sigma_min",
};

const SOLVERS = ([1, 2] as const).flatMap((solverOrder) =>
  (["midpoint", "heun"] as const).map((solverType) => ({ solverOrder, solverType })),
);

/** Values of every option that the suite goes through. */
const VARIATIONS: DPMSolverMultistepSchedulerOptions[] = [
  ...[50, 100, 999, 1000].map((numTrainTimesteps) => ({ numTrainTimesteps })),
  ...SOLVERS.flatMap((solver) => [
    ...(["epsilon", "sample"] as const).map((predictionType) => ({ ...solver, predictionType })),
    ...[0.5, 1, 2].flatMap((sampleMaxValue) =>
      (["epsilon", "sample"] as const).map((predictionType) => ({
        ...solver,
        thresholding: true,
        predictionType,
        sampleMaxValue,
      })),
    ),
  ]),
  { predictionType: "v_prediction" },
  ...[true, false].flatMap((on) => [{ lowerOrderFinal: on }, { eulerAtFinal: on }, { rescaleBetasZeroSnr: on }]),
];

for (const [name, { DPMSolverMultistepScheduler }] of Object.entries(implementations)) {
  type Scheduler = InstanceType<typeof DPMSolverMultistepScheduler>;

  /** Steps at all timesteps from an index on. */
  const runLoop = (scheduler: Scheduler, startIndex = 0): Sample => {
    const timesteps = scheduler.timesteps.subarray(startIndex);
    let sample = startIndex === 0 ? SAMPLE : scheduler.addNoise(SAMPLE, NOISE, timesteps[0]!);
    let history: StepHistory | undefined;
    for (const timestep of timesteps) {
      const result = scheduler.step(model(sample, timestep), sample, timestep, { history, returnDict: true });
      history = { predOriginalSample: result.predOriginalSample, timestep };
      sample = result.prevSample;
    }
    return sample;
  };

  const fullLoop = (options: DPMSolverMultistepSchedulerOptions, startIndex = 0): Sample => {
    const scheduler = new DPMSolverMultistepScheduler({ ...CONFIG, ...options });
    scheduler.setTimesteps(10);
    return runLoop(scheduler, startIndex);
  };

  const LOOPS: [description: string, options: DPMSolverMultistepSchedulerOptions, mean: number][] = [
    ["a full loop", {}, 0.3301],
    [
      "a full loop with thresholding",
      { thresholding: true, dynamicThresholdingRatio: 0.87, sampleMaxValue: 0.5 },
      1.1364,
    ],
    ["a full loop with v_prediction", { predictionType: "v_prediction" }, 0.2251],
  ];
  for (const [description, options, mean] of LOOPS) {
    test(`${name}: ${description}`, () => {
      const actual = sumOf(fullLoop(options)) / COUNT;
      assert.ok(Math.abs(actual - mean) < 1e-3, `mean ${actual}`);
    });
  }

  test(`${name}: a loop from a noised sample`, () => {
    const sum = sumOf(fullLoop({}, 5));
    assert.ok(Math.abs(sum - 318.4111) < 1e-2, `sum ${sum}`);
    assert.ok(Math.abs(sum / COUNT - 0.4146) < 1e-3, `mean ${sum / COUNT}`);
  });

  test(`${name}: by way of other solvers' configurations, the same loop`, () => {
    const config = new DPMSolverMultistepScheduler(CONFIG).toConfig();
    for (const others of [
      { _class_name: "DPMSolverSinglestepScheduler" },
      { _class_name: "UniPCMultistepScheduler", solver_type: "bh2", predict_x0: true },
      { _class_name: "DEISMultistepScheduler", solver_type: "logrho", algorithm_type: "deis" },
    ]) {
      const scheduler = DPMSolverMultistepScheduler.fromConfig({ ...config, ...others }, {}, { onWarning() {} });
      scheduler.setTimesteps(10);
      assert.equal(runLoop(scheduler), fullLoop({}));
    }
  });

  for (const variation of VARIATIONS) {
    test(`${name}: saved and loaded, the same steps with ${JSON.stringify(variation)}`, () => {
      const scheduler = new DPMSolverMultistepScheduler({ ...CONFIG, ...variation });
      const warnings: string[] = [];
      const onWarning = (message: string) => warnings.push(message);
      const loaded = DPMSolverMultistepScheduler.fromConfig(JSON.stringify(scheduler.toConfig()), {}, { onWarning });
      assert.equal(
        warnings.filter((message) => !message.includes("zero_snr")),
        [],
      );
      assert.equal(loaded.config, scheduler.config);
      assert.equal(loaded.alphasCumprod, scheduler.alphasCumprod);
      const results = [scheduler, loaded].map((one) => {
        one.setTimesteps(25);
        return runLoop(one);
      });
      assert.equal(results[1], results[0]);
      assert.ok(results[0]!.data.every(Number.isFinite));
    });
  }

  for (const solver of SOLVERS) {
    for (const predictionType of ["epsilon", "sample"] as const) {
      test(`${name}: a full loop of order ${solver.solverOrder}, ${solver.solverType}, ${predictionType} is finite`, () => {
        assert.ok(fullLoop({ ...solver, predictionType }).data.every(Number.isFinite));
      });
    }
  }

  test(`${name}: numbers of steps`, () => {
    for (const steps of [1, 2, 3, 5, 10, 50, 100, 999]) {
      const scheduler = new DPMSolverMultistepScheduler(CONFIG);
      scheduler.setTimesteps(steps);
      assert.is(scheduler.timesteps.length, steps);
      assert.ok(scheduler.step(RESIDUAL, SAMPLE, scheduler.timesteps[0]!).data.every(Number.isFinite));
    }
    assert.throws(() => new DPMSolverMultistepScheduler(CONFIG).setTimesteps(1000), RangeError);
  });

  test(`${name}: a step keeps the shape`, () => {
    const scheduler = new DPMSolverMultistepScheduler(CONFIG);
    scheduler.setTimesteps(25);
    const history = { predOriginalSample: SAMPLE, timestep: scheduler.timesteps[4]! };
    for (const i of [5, 6]) {
      assert.equal(scheduler.step(RESIDUAL, SAMPLE, scheduler.timesteps[i]!, { history }).dims, DIMS);
    }
  });

  test(`${name}: halves stay halves`, () => {
    // The suite's ratio of 0 is below what is allowed here.
    const scheduler = new DPMSolverMultistepScheduler({
      ...CONFIG,
      thresholding: true,
      dynamicThresholdingRatio: 1e-9,
    });
    scheduler.setTimesteps(10);
    let sample = normalTensor(1, DIMS, "float16");
    let history: StepHistory | undefined;
    for (const timestep of scheduler.timesteps) {
      const result = scheduler.step(sample, sample, timestep, { history, returnDict: true });
      history = { predOriginalSample: result.predOriginalSample, timestep };
      sample = result.prevSample as typeof sample;
    }
    assert.is(sample.type, "float16");
    assert.instance(sample.data, Uint16Array);
  });

  test(`${name}: timesteps of one's own, the same loop`, () => {
    for (const predictionType of ["epsilon", "sample", "v_prediction"] as const) {
      for (const finalSigmasType of ["sigma_min", "zero"] as const) {
        const options = { ...CONFIG, predictionType, finalSigmasType };
        const [plain, own] = [new DPMSolverMultistepScheduler(options), new DPMSolverMultistepScheduler(options)];
        plain.setTimesteps(10);
        own.setTimesteps(plain.timesteps);
        assert.equal(runLoop(own), runLoop(plain));
      }
    }
  });

  for (const refused of [
    { solver_order: 3 },
    ...["dpmsolver", "sde-dpmsolver", "sde-dpmsolver++"].map((algorithm_type) => ({ algorithm_type })),
    { use_karras_sigmas: true },
    { use_lu_lambdas: true },
    { use_beta_sigmas: true },
    { use_exponential_sigmas: true },
    { lambda_min_clipped: -5.1 },
    { variance_type: "learned_range" },
  ]) {
    test(`${name}: refused: ${JSON.stringify(refused)}`, () => {
      const config = { ...new DPMSolverMultistepScheduler(CONFIG).toConfig(), ...refused };
      const [key] = Object.keys(refused) as [string];
      const camel = key.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
      assert.throws(
        () => DPMSolverMultistepScheduler.fromConfig(config),
        (error: Error) => error instanceof RangeError && (error.message.includes(key) || error.message.includes(camel)),
      );
    });
  }
}

test.run();
