// Calls that make schedulers, and those of schedulers.

import { SAMPLERS } from "../implementations.js";
import { generatorsOf, smallDims, tensor, timestepsOf } from "./arguments.js";
import type { World } from "./world.js";
import { number, optionsOf, wrongValue } from "./wrong-values.js";

type Values = Record<string, (world: World) => unknown>;

const one =
  <T>(...list: T[]) =>
  ({ random }: World): T =>
    random.pick(list);

const SCHEDULER_OPTIONS: Values = {
  numTrainTimesteps: (world) => number(world, world.random.pick([1, 10, 50, 100, 1000])),
  betaStart: (world) => number(world, 0.0001),
  betaEnd: (world) => number(world, 0.02),
  betaSchedule: one("linear", "scaled_linear", "squaredcos_cap_v2", "sigmoid", "cosine"),
  trainedBetas: one<unknown>(null, [0.1, 0.2], new Float32Array(3), Array(50).fill(0.02), "0.1"),
  predictionType: one("epsilon", "sample", "v_prediction"),
  clipSample: one<unknown>(true, false, 1),
  clipSampleRange: (world) => number(world, 1),
  thresholding: one(true, false),
  sampleMaxValue: (world) => number(world, 1.5),
  dynamicThresholdingRatio: (world) => number(world, 0.9),
  rescaleBetasZeroSnr: one(true, false),
  timestepSpacing: one("linspace", "leading", "trailing"),
  stepsOffset: (world) => number(world, world.random.below(3)),
  setAlphaToOne: one(true, false),
  previousTimestep: one("stride", "schedule"),
  computeDtype: one("float32", "float16"),
  originalInferenceSteps: one<unknown>(10, 50, null, 0),
  timestepScaling: (world) => number(world, 10),
  solverOrder: one(1, 2, 3),
  solverType: one("midpoint", "heun"),
  lowerOrderFinal: one(true, false),
  eulerAtFinal: one(true, false),
  finalSigmasType: one("zero", "sigma_min"),
};

/** Some of the values of a table. */
function some(world: World, values: Values, probability: number): Record<string, unknown> {
  const drawn: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values)) {
    if (world.random.chance(probability)) drawn[name] = value(world);
  }
  return drawn;
}

/** Options that the class has, mostly. */
function schedulerOptions(world: World, Class: any): Record<string, unknown> {
  const has = Class.definition?.options;
  const drawn = some(world, SCHEDULER_OPTIONS, 0.15);
  if (has && world.random.chance(0.95)) for (const name of Object.keys(drawn)) if (!has.has(name)) delete drawn[name];
  return drawn;
}

export function makeScheduler(world: World): unknown {
  const Class: any = world.library[world.random.pick(SAMPLERS)];
  return new Class(optionsOf(world, schedulerOptions(world, Class)));
}

const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

export function readConfig(world: World): unknown {
  const { random, library } = world;
  const name = random.pick([...SAMPLERS, "PNDMScheduler", "FlowMatchScheduler"]);
  const Class: any = library[random.pick(SAMPLERS)];
  const options = Object.entries(schedulerOptions(world, Class)).map(([key, value]) => [snakeCase(key), value]);
  const config: unknown = optionsOf(world, { _class_name: name, ...Object.fromEntries(options) });
  let source: unknown = config;
  if (random.chance(0.3)) {
    try {
      source = JSON.stringify(config);
    } catch {
      source = "{";
    }
  }
  const overrides = random.chance(0.3) ? optionsOf(world, schedulerOptions(world, Class)) : undefined;
  const onWarning = random.chance(0.1) ? world.throwOwn.bind(world) : () => {};
  const reporting = random.chance(0.9) ? optionsOf(world, { onWarning }) : undefined;
  return random.chance(0.5)
    ? library.schedulerFromConfig(source as any, overrides as any, reporting as any)
    : Class.fromConfig(source, overrides, reporting);
}

export function step(world: World): unknown {
  const { random } = world;
  const scheduler = random.pick(world.schedulers);
  const dims = smallDims(world);
  const batch = dims[0]!;
  const isHalf = random.chance(0.3);
  const most = scheduler.config.numTrainTimesteps;
  const isGuided = random.chance(0.25);
  const learns = random.chance(0.15);
  const outputDims = [isGuided ? 2 * batch : batch, learns ? 2 * dims[1]! : dims[1]!, dims[2]!];
  const options: Record<string, unknown> = {};
  const names: string[] = scheduler.definition?.stepOptions.names ?? [];
  const has = (name: string): boolean => names.length === 0 || names.includes(name) || random.chance(0.02);
  if (isGuided) options["guidanceScale"] = number(world, 7.5);
  if (isGuided && random.chance(0.5)) options["guidanceRescale"] = number(world, 0.7);
  if (learns) options["learnedVariance"] = true;
  if (random.chance(0.3)) options["returnDict"] = random.chance(0.9) || wrongValue(world);
  if (random.chance(0.5) || random.chance(0.8)) options["prevTimestep"] = timestepsOf(world, batch, most);
  if (has("eta") && random.chance(0.5)) options["eta"] = number(world, random.pick([0, 0.5, 1]));
  if (has("useClippedModelOutput") && random.chance(0.2)) options["useClippedModelOutput"] = true;
  if (has("generator") && random.chance(0.6)) options["generator"] = generatorsOf(world, batch);
  else if (has("varianceNoise") && random.chance(0.5)) options["varianceNoise"] = tensor(world, dims, isHalf);
  if (has("history") && random.chance(0.6)) {
    const predOriginalSample = tensor(world, dims, isHalf);
    options["history"] = optionsOf(world, {
      predOriginalSample,
      timestep: number(world, most - 1),
      numInferenceSteps: 10,
    });
  }
  const sample = tensor(world, dims, isHalf);
  const output = random.chance(0.05) ? sample : tensor(world, outputDims, isHalf);
  if (random.chance(0.4)) options["out"] = random.pick([sample, output, tensor(world, dims, isHalf)]);
  const args = [output, sample, timestepsOf(world, batch, most), optionsOf(world, options)];
  if (random.chance(0.02)) args.splice(1, 0, args[2]);
  world.seal();
  return scheduler.step(...args);
}

export function addNoise(world: World): unknown {
  const { random } = world;
  const scheduler = random.pick(world.schedulers);
  const dims = smallDims(world);
  const isHalf = random.chance(0.3);
  const [sample, noise] = [tensor(world, dims, isHalf), tensor(world, dims, isHalf)];
  const timesteps = timestepsOf(world, dims[0]!, scheduler.config.numTrainTimesteps);
  const out = random.pick([undefined, sample, noise, tensor(world, dims, isHalf)]);
  const options = optionsOf(world, { out });
  world.seal();
  return scheduler[random.pick(["addNoise", "getVelocity"])](sample, noise, timesteps, options);
}
