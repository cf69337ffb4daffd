// Calls of generators, of resident tensors and of previews.

import { dimsOf, smallDims, tensor } from "./arguments.js";
import type { World } from "./world.js";
import { number, optionsOf, wrongValue } from "./wrong-values.js";

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

export const GENERATOR_CALLS: ((world: World) => unknown)[] = [
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
    world.keep(world.generators, generator);
    return generator;
  },
];

export function useResident(world: World): unknown {
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

export function preview(world: World): unknown {
  const { library, random } = world;
  const dims = random.chance(0.1) ? [0, 1e9, 1e9] : [1 + random.below(2), 4, 1 + random.below(4), 1 + random.below(4)];
  const own = { weights: [[1, 2, 3]], bias: [1, 2, 3] };
  const factors = random.pick<unknown>([library.SD1_LATENT_RGB, library.SDXL_LATENT_RGB, optionsOf(world, own)]);
  const options = optionsOf(world, { element: number(world, 0) });
  const latents = dims[1] === 4 ? tensor(world, dims, random.chance(0.3)) : { data: new Float32Array(0), dims };
  return library.latentToRgb(latents as any, random.chance(0.05) ? { weights: [], bias: [0, 0, 0] } : (factors as any), options as any); // prettier-ignore
}
