// Calls of the whole public API.

import { number, dimsOf, optionsOf, tensor, timestepsOf, wrongValue } from "./values.js";
import type { World } from "./world.js";

const SAMPLERS = [
  "DDIMScheduler",
  "DDIMInverseScheduler",
  "LCMScheduler",
  "TCDScheduler",
  "DPMSolverMultistepScheduler",
] as const;

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

function keep(list: any[], item: any): void {
  list.push(item);
  if (list.length > 6) list.splice(1, 1);
}

/** Options that the class has, mostly. */
function schedulerOptions(world: World, Class: any): Record<string, unknown> {
  const has = Class.definition?.options;
  const drawn = some(world, SCHEDULER_OPTIONS, 0.15);
  if (has && world.random.chance(0.95)) for (const name of Object.keys(drawn)) if (!has.has(name)) delete drawn[name];
  return drawn;
}

function makeScheduler(world: World): unknown {
  const Class: any = world.library[world.random.pick(SAMPLERS)];
  return new Class(optionsOf(world, schedulerOptions(world, Class)));
}

const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

function readConfig(world: World): unknown {
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

/** A shape with few values, or with some more than a piece has. */
function smallDims({ random }: World): number[] {
  const batch = random.chance(0.05) ? 0 : 1 + random.below(3);
  if (random.chance(0.02)) return [batch, 1, 5500 + random.below(12_000)];
  return [batch, 1 + random.below(3), 1 + random.below(12)];
}

function generatorsOf(world: World, batch: number): unknown {
  const { random } = world;
  if (random.chance(0.03)) return wrongValue(world);
  if (random.chance(0.5)) return random.pick(world.generators);
  const count = random.chance(0.1) ? batch + 1 : batch;
  return Array.from({ length: count }, () => (random.chance(0.02) ? wrongValue(world) : random.pick(world.generators)));
}

function step(world: World): unknown {
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

function addNoise(world: World): unknown {
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

function draw(world: World): unknown {
  const { random } = world;
  const dims = random.chance(0.1) ? [random.below(40)] : smallDims(world);
  const isHalf = random.chance(0.3);
  const options: Record<string, unknown> = {};
  if (random.chance(0.5)) options["type"] = random.pick(["float32", "float16", "float64"]);
  if (random.chance(0.4)) options["out"] = tensor(world, dims, isHalf);
  const generator = random.pick(world.generators);
  const args = [dimsOf(world, dims), optionsOf(world, options)];
  world.seal();
  return generator[random.pick(["randn", "rand"])](...args);
}

function drawIntegers(world: World): unknown {
  const { random } = world;
  const isWide = random.chance(0.3);
  const bound = (value: number): unknown => (isWide ? BigInt(value) * 2n ** 20n : number(world, value));
  return random.pick(world.generators).randint(bound(-5), bound(random.pick([1, 1000, 2 ** 31])), dimsOf(world, [random.below(50)]) as any); // prettier-ignore
}

function useState(world: World): unknown {
  const { random } = world;
  const generator = random.pick(world.generators);
  const state: Uint8Array = generator.getState();
  if (random.chance(0.3)) state[random.below(random.chance(0.5) ? 24 : state.length)] = random.below(256);
  return random.pick(world.generators).setState(random.chance(0.15) ? wrongValue(world) : state);
}

const GENERATOR_CALLS: ((world: World) => unknown)[] = [
  draw,
  draw,
  draw,
  drawIntegers,
  useState,
  (world) => world.random.pick(world.generators).clone(),
  (world) => world.random.pick(world.generators).manualSeed(number(world, world.random.below(100))),
  (world) => world.random.pick(world.generators).initialSeed,
  (world) => {
    const { library, random } = world;
    const seed = random.chance(0.1)
      ? wrongValue(world)
      : random.pick([random.below(100), -3n, 2n ** 64n - 1n, undefined]);
    const generator = new library.Generator(seed as number);
    keep(world.generators, generator);
    return generator;
  },
];

function useResident(world: World): unknown {
  const { random } = world;
  if (random.chance(0.5)) {
    const dims = dimsOf(world, smallDims(world)) as any;
    const type = random.pick(["float32", "float16", undefined, "int8"]) as any;
    const made = world.library.allocate(dims, type);
    world.residents.push(made as never);
    return made;
  }
  const [tensor] = world.residents.splice(random.below(world.residents.length + 1), 1);
  tensor?.free();
  if (random.chance(0.3)) tensor?.free();
  return random.chance(0.3) ? tensor?.data : undefined;
}

function preview(world: World): unknown {
  const { library, random } = world;
  const dims = random.chance(0.1) ? [0, 1e9, 1e9] : [1 + random.below(2), 4, 1 + random.below(4), 1 + random.below(4)];
  const own = { weights: [[1, 2, 3]], bias: [1, 2, 3] };
  const factors = random.pick<unknown>([library.SD1_LATENT_RGB, library.SDXL_LATENT_RGB, optionsOf(world, own)]);
  const options = optionsOf(world, { element: number(world, 0) });
  const latents = dims[1] === 4 ? tensor(world, dims, random.chance(0.3)) : { data: new Float32Array(0), dims };
  return library.latentToRgb(latents as any, random.chance(0.05) ? { weights: [], bias: [0, 0, 0] } : (factors as any), options as any); // prettier-ignore
}

/** A model that does what it should, most of the time. */
function modelOf(world: World, isGuided: boolean): (...args: any[]) => unknown {
  const { random } = world;
  const model = (sample: any, _t: number, { signal }: any): unknown => {
    if (!random.chance(0.06)) {
      if (random.chance(0.05)) world.meddle();
      const { data = sample, dims = [1, data.length] } = sample;
      const output = { data: data.slice(), dims };
      if (isGuided) {
        output.data = new data.constructor(2 * data.length);
        output.dims = [2 * dims[0], ...dims.slice(1)];
      }
      return random.chance(0.5) ? output : Promise.resolve(output);
    }
    switch (random.below(8)) {
      case 0:
        return world.throwOwn();
      case 1:
        return Promise.reject((world.thrown.push("rejected"), "rejected"));
      case 2:
        return wrongValue(world);
      case 3:
        sample.data?.fill?.(NaN);
        world.hasMeddled = true;
        return sample;
      case 4:
        sample.free?.();
        world.hasMeddled = true;
        return sample;
      case 5:
        // oxlint-disable-next-line unicorn/no-thenable -- a thenable that fails
        return { then: () => world.throwOwn() };
      case 6:
        if (signal) signal.aborted = true;
        return sample;
      default:
        return tensor(world, sample.dims ?? [3], false);
    }
  };
  return (...args) => world.own(() => model(...(args as [any, number, any])));
}

function makePipeline(world: World): unknown {
  const { library, random } = world;
  const right = random.pick(world.schedulers);
  const scheduler = random.pick<unknown>([right, right, right, wrongValue(world), Object.create(right), new Proxy(right, {})]); // prettier-ignore
  const model = random.chance(0.05) ? wrongValue(world) : modelOf(world, false);
  const pipeline = new library.DiffusionPipeline(optionsOf(world, { scheduler, model }) as any);
  keep(world.pipelines, pipeline);
  return pipeline;
}

async function runPipeline(world: World): Promise<unknown> {
  const { library, random } = world;
  const scheduler = random.pick(world.schedulers);
  const isGuided = random.chance(0.2);
  const model = modelOf(world, isGuided);
  const pipeline: any = random.chance(0.8)
    ? new library.DiffusionPipeline({ scheduler, model } as any)
    : random.pick(world.pipelines);
  const dims = smallDims(world);
  const isHalf = random.chance(0.2);
  const options: Record<string, unknown> = { numInferenceSteps: number(world, 1 + random.below(4)) };
  if (random.chance(0.8)) options["generator"] = generatorsOf(world, dims[0]!);
  if (isGuided) options["guidanceScale"] = number(world, 2);
  if (isGuided && random.chance(0.3)) Object.assign(options, { condition: Array(dims[0]).fill(1), unconditional: 0 });
  if (random.chance(0.2)) options["eta"] = number(world, 0.5);
  if (random.chance(0.2)) options["checkFinite"] = true;
  if (random.chance(0.2)) options["signal"] = random.chance(0.9) ? { aborted: random.chance(0.1), reason: new RangeError('"signal" says so') } : wrongValue(world); // prettier-ignore
  if (random.chance(0.2)) options["onStep"] = () => (random.chance(0.2) ? world.throwOwn() : world.meddle());
  if (random.chance(0.4)) Object.assign(options, { dims: dimsOf(world, dims), ...(isHalf && { type: "float16" }) });
  else options["sample"] = tensor(world, dims, isHalf);
  if (random.chance(0.3)) options["strength"] = number(world, random.pick([0.1, 0.5, 1]));
  if (random.chance(0.1)) options["exactSteps"] = true;
  if (random.chance(0.25)) {
    options["known"] = tensor(world, dims, isHalf);
    options["mask"] = { data: new Float32Array(dims[2]!).fill(0.5), dims: [dims[2]!] };
    if (random.chance(0.5)) options["knownNoise"] = random.pick(["same", "fresh", tensor(world, dims, isHalf)]);
  }
  switch (random.below(4)) {
    case 0: {
      const stream = pipeline.stream(optionsOf(world, without(options, "onStep")));
      for await (const { step } of stream) if (step === 1 && random.chance(0.3)) break;
      return undefined;
    }
    case 1: {
      const { sample = tensor(world, dims, isHalf), numInferenceSteps, onStep, checkFinite = false } = options;
      const refine = random.pick<unknown>([false, true, { iterations: 2 }, optionsOf(world, { tolerance: 1e-3 })]);
      return pipeline.invert(optionsOf(world, { sample, numInferenceSteps, checkFinite, refine, ...(onStep ? { onStep } : {}) })); // prettier-ignore
    }
    default:
      return pipeline.run(optionsOf(world, options));
  }
}

function without(options: Record<string, unknown>, name: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([key]) => key !== name));
}

/** Every call, by its name, and how often it is made beside the others. */
export const CALLS: Record<string, [weight: number, call: (world: World) => unknown]> = {
  "new scheduler": [4, (world) => keep(world.schedulers, makeScheduler(world))],
  fromConfig: [3, (world) => keep(world.schedulers, readConfig(world))],
  toConfig: [1, (world) => world.random.pick(world.schedulers).toConfig()],
  setTimesteps: [
    4,
    (world) => {
      const { random } = world;
      const list = Array.from({ length: 1 + random.below(4) }, (_, i) => number(world, 90 - 10 * i));
      const steps = random.pick<unknown>([number(world, 1 + random.below(10)), list, wrongValue(world)]);
      return random.pick(world.schedulers).setTimesteps(steps);
    },
  ],
  scaleModelInput: [
    1,
    (world) => world.random.pick(world.schedulers).scaleModelInput(wrongValue(world), wrongValue(world)),
  ],
  step: [20, step],
  addNoise: [8, addNoise],
  generator: [12, (world) => world.random.pick(GENERATOR_CALLS)(world)],
  resident: [4, useResident],
  latentToRgb: [3, preview],
  "new pipeline": [1, makePipeline],
  run: [3, runPipeline],
  init: [1, (world) => world.library.init(world.random.pick([undefined, wrongValue(world)]) as any)],
};
