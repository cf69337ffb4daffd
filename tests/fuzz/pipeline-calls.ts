// Runs of pipelines, whose models fail at times.

import { dimsOf, generatorsOf, smallDims, tensor } from "./arguments.js";
import type { World } from "./world.js";
import { number, optionsOf, wrongValue } from "./wrong-values.js";

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

export function makePipeline(world: World): unknown {
  const { library, random } = world;
  const right = random.pick(world.schedulers);
  const scheduler = random.pick<unknown>([right, right, right, wrongValue(world), Object.create(right), new Proxy(right, {})]); // prettier-ignore
  const model = random.chance(0.05) ? wrongValue(world) : modelOf(world, false);
  const pipeline = new library.DiffusionPipeline(optionsOf(world, { scheduler, model }) as any);
  world.keep(world.pipelines, pipeline);
  return pipeline;
}

export async function runPipeline(world: World): Promise<unknown> {
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
