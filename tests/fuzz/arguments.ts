// Right arguments of the library's kinds, most of the time.

import type { Data } from "../tensors.js";
import { detach, type World } from "./world.js";
import { HUGE_DIMS, number, spoil, wrongValue } from "./wrong-values.js";

/** Ordinary values, and special ones at times. */
function fill(world: World, data: Data): Data {
  const { random } = world;
  const isHalf = data.BYTES_PER_ELEMENT === 2;
  for (let i = 0; i < data.length; i++) data[i] = isHalf ? random.below(0x4400) : random.next() / 2 ** 30 - 2;
  if (data.length > 0 && random.chance(0.1)) {
    data[random.below(data.length)] = isHalf
      ? random.below(65536)
      : random.pick([NaN, -0, Infinity, -Infinity, 3e38, 1e-40]);
  }
  return data;
}

/** An array for values, in memory of some kind. */
function arrayFor(world: World, length: number, isHalf: boolean): Data {
  const { random } = world;
  const Class = (isHalf ? Uint16Array : Float32Array) as typeof Float32Array;
  const bytes = length * Class.BYTES_PER_ELEMENT;
  const resizable = { maxByteLength: bytes + 64 } as object;
  switch (random.below(12)) {
    case 0:
      return new Class(new SharedArrayBuffer(bytes) as never);
    case 1:
      return new Class(new (ArrayBuffer as any)(bytes, resizable));
    case 2:
      return new Class(new (ArrayBuffer as any)(bytes, resizable), 0, length);
    case 3:
      return new Class(new (SharedArrayBuffer as any)(bytes, resizable));
    case 4:
      return new Class(length + 5).subarray(3, 3 + length);
    case 5:
      return new (class extends Class {})(length);
    case 6:
      return world.allocate([length], isHalf ? "float16" : "float32").data;
    default:
      return new Class(length);
  }
}

class OnnxTensor {
  type: string;
  data: unknown;
  dims: readonly number[];
  constructor(type: string, data: unknown, dims: readonly number[]) {
    this.type = type;
    this.data = data;
    this.dims = dims;
  }
}

/** A class whose instances cannot be made. */
class Unmakable {
  type: string;
  data: unknown;
  dims: readonly number[];
  constructor(world: World, type: string, data: unknown, dims: readonly number[]) {
    if (!world.random) throw new TypeError("no world");
    this.type = type;
    this.data = data;
    this.dims = dims;
  }
}

/** A tensor, right most of the time. */
export function tensor(world: World, dims: readonly number[], isHalf: boolean): unknown {
  const { random } = world;
  if (random.chance(0.02)) return wrongValue(world);
  const length = dims.reduce((product, size) => product * size, 1);
  const wrong = random.chance(0.02);
  const shape = wrong ? [...dims.slice(1), random.below(5)] : [...dims];
  const actual = random.chance(0.02) ? length + 1 : length;
  const half = random.chance(0.02) ? !isHalf : isHalf;
  const type = half ? "float16" : "float32";
  if (random.chance(0.1)) {
    const resident = world.allocate(shape, type);
    world.watch(fill(world, resident.data));
    if (random.chance(0.05)) resident.free();
    return resident;
  }
  const data = world.watch(fill(world, arrayFor(world, actual, half)));
  if (random.chance(0.02)) {
    world.hasMeddled = true;
    if (data.buffer instanceof ArrayBuffer && !world.isResident(data)) detach(data.buffer);
  }
  switch (random.below(8)) {
    case 0:
      return data;
    case 1:
      return new OnnxTensor(type, data, shape);
    case 2:
      return { data, dims: shape, type };
    case 3:
      return random.chance(0.2) ? new Unmakable(world, type, data, shape) : { data, dims: shape };
    case 4:
      return random.chance(0.4) ? spoil(world, { data, dims: shape, type }) : { data, dims: shape };
    default:
      return { data, dims: shape };
  }
}

/** Dims, right most of the time. */
export function dimsOf(world: World, dims: readonly number[]): unknown {
  const { random } = world;
  if (random.chance(0.06)) return random.pick(HUGE_DIMS);
  if (random.chance(0.04)) return wrongValue(world);
  if (random.chance(0.03)) return spoil(world, [...dims]);
  return random.chance(0.1) ? Int32Array.from(dims) : [...dims];
}

/** One timestep, or one for each element. */
export function timestepsOf(world: World, batch: number, most: number): unknown {
  const { random } = world;
  if (random.chance(0.04)) return wrongValue(world);
  if (random.chance(0.5)) return random.chance(0.1) ? BigInt(random.below(most)) : number(world, random.below(most));
  const list = Array.from({ length: random.chance(0.05) ? batch + 1 : batch }, () => number(world, random.below(most)));
  if (random.chance(0.2) && list.every(Number.isInteger)) {
    return random.pick<(list: number[]) => unknown>([(each) => Int32Array.from(each), (each) => BigInt64Array.from(each, BigInt)])(list as number[]); // prettier-ignore
  }
  return random.chance(0.03) ? spoil(world, list) : list;
}

/** A shape with few values, or with some more than a piece has. */
export function smallDims({ random }: World): number[] {
  const batch = random.chance(0.05) ? 0 : 1 + random.below(3);
  if (random.chance(0.02)) return [batch, 1, 5500 + random.below(12_000)];
  return [batch, 1 + random.below(3), 1 + random.below(12)];
}

export function generatorsOf(world: World, batch: number): unknown {
  const { random } = world;
  if (random.chance(0.03)) return wrongValue(world);
  if (random.chance(0.5)) return random.pick(world.generators);
  const count = random.chance(0.1) ? batch + 1 : batch;
  return Array.from({ length: count }, () => (random.chance(0.02) ? wrongValue(world) : random.pick(world.generators)));
}
