// The public types of the samplers, checked by the compiler alone: nothing here runs.

import {
  type AnyScheduler,
  type ConfigOf,
  DDIMInverseScheduler,
  DDIMScheduler,
  DiffusionPipeline,
  DPMSolverMultistepScheduler,
  type DPMSolverMultistepSchedulerOptions,
  type DPMSolverMultistepStepOptions,
  LCMScheduler,
  type LCMSchedulerOptions,
  type LCMStepOptions,
  type PlainTensor,
  type Scheduler,
  schedulerFromConfig,
  type StepHistory,
  type StepResult,
  TCDScheduler,
  type TCDSchedulerOptions,
  type TCDStepOptions,
} from "ddim-wasm";
import {
  check,
  type Floats,
  floats,
  generator,
  halves,
  onnx,
  type OnnxTensor,
  plain,
  resident,
  type Same,
} from "./given.js";

const lcm = new LCMScheduler({ originalInferenceSteps: 50, timestepScaling: 10 });
const tcd = new TCDScheduler({ originalInferenceSteps: null });
const dpm = new DPMSolverMultistepScheduler({ solverOrder: 2, algorithmType: "dpmsolver++", finalSigmasType: "zero" });

// Configurations are complete, and of the class.
check<Same<typeof lcm.config, ConfigOf<LCMSchedulerOptions>>>();
check<Same<typeof lcm.config.originalInferenceSteps, number | null>>();
check<Same<typeof dpm.config.solverOrder, 1 | 2>>();
check<Same<typeof dpm.config.solverType, "midpoint" | "heun">>();
check<Same<ReturnType<typeof LCMScheduler.fromConfig<LCMScheduler, LCMSchedulerOptions>>, LCMScheduler>>();
{
  const options: TCDSchedulerOptions = tcd.config;
  const loaded = TCDScheduler.fromConfig(lcm.toConfig(), options, { onWarning: (message: string) => message });
  check<Same<typeof loaded, TCDScheduler>>();
  // @ts-expect-error DPM-Solver++ does not clip
  void new DPMSolverMultistepScheduler({ clipSample: true });
  // @ts-expect-error nor is there an order 3
  DPMSolverMultistepScheduler.fromConfig("{}", { solverOrder: 3 });
  // @ts-expect-error nor another algorithm
  void new DPMSolverMultistepScheduler({ algorithmType: "sde-dpmsolver++" });
  // @ts-expect-error the next timestep is always that of the list
  void new LCMScheduler({ previousTimestep: "stride" });
  // @ts-expect-error an option of distilled models' samplers
  void new DPMSolverMultistepScheduler({ originalInferenceSteps: 50 });
  const dpmOptions: DPMSolverMultistepSchedulerOptions = dpm.config;
  void new DPMSolverMultistepScheduler(dpmOptions);
}

// Steps give the sample's kind; options are those of the class.
{
  const fromFloats = lcm.step(onnx, floats, 999, { generator });
  check<Same<typeof fromFloats, Floats>>();
  const fromOnnx = tcd.step(floats, onnx, 999n, { eta: 0.3, varianceNoise: floats });
  check<Same<typeof fromOnnx, OnnxTensor>>();
  const both = dpm.step(floats, plain, [999], { returnDict: true });
  check<Same<typeof both, StepResult<typeof plain>>>();
  const history: StepHistory = { predOriginalSample: both.predOriginalSample, timestep: [999] };
  const next = dpm.step(floats, plain, 500, { history, learnedVariance: true, guidanceScale: 2 });
  check<Same<typeof next, typeof plain>>();
  const inside = dpm.step(floats, resident, 500, { history: { ...both, timestep: 999n }, out: resident });
  check<Same<typeof inside, typeof resident>>();
  const options: LCMStepOptions & TCDStepOptions = { learnedVariance: undefined, eta: undefined };
  tcd.step(halves, halves, 999, options);
  const ofDpm: DPMSolverMultistepStepOptions = { history: undefined };
  dpm.step(halves, halves, 999, ofDpm);
  // @ts-expect-error LCM has no eta
  lcm.step(floats, floats, 999, { eta: 0 });
  // @ts-expect-error DPM-Solver++ draws nothing
  dpm.step(floats, floats, 999, { generator });
  // @ts-expect-error a history has a timestep
  dpm.step(floats, floats, 999, { history: { predOriginalSample: floats } });
  // @ts-expect-error DDIM has no history
  new DDIMScheduler().step(floats, floats, 999, { history });
}

// The class that a configuration names: one of those, whose step can be called whichever it is.
{
  const any = schedulerFromConfig("{}", { clipSample: false, solverOrder: 1 }, { onWarning() {} });
  check<Same<typeof any, AnyScheduler>>();
  any.setTimesteps(4);
  const stepped = any.step(floats, plain, 999, { guidanceScale: 2, learnedVariance: true });
  check<Same<typeof stepped, typeof plain>>();
  const both = any.step(floats, plain, 999, { returnDict: true });
  check<Same<typeof both, StepResult<typeof plain>>>();
  const noisy = any.addNoise(plain, floats, 999);
  check<Same<typeof noisy, typeof plain>>();
  if (any instanceof DPMSolverMultistepScheduler) {
    any.step(floats, floats, 999, { history: { predOriginalSample: floats, timestep: 999 } });
    check<Same<typeof any.config.solverOrder, 1 | 2>>();
  } else if (any instanceof TCDScheduler) any.step(floats, floats, 999, { eta: 1 });
  const scheduler: Scheduler = any;
  const { finalAlphaCumprod } = any;
  check<Same<typeof finalAlphaCumprod, number>>();
  void scheduler;
  const inverse = schedulerFromConfig({ _class_name: "DDIMInverseScheduler" });
  check<Same<typeof inverse, DDIMInverseScheduler>>();
  // @ts-expect-error no option of any scheduler
  schedulerFromConfig("{}", { nothing: 1 });
}

// Pipelines take each of them, and those that a configuration names.
for (const scheduler of [lcm, tcd, dpm, schedulerFromConfig("{}")]) {
  const pipeline = new DiffusionPipeline({ scheduler, model: (sample) => sample });
  const image = await pipeline.run({ dims: [1, 4], learnedVariance: true });
  check<Same<typeof image, PlainTensor<Floats>>>();
}
