// Wrong arguments, and right ones that have something the matter with them.

import { detach, type World } from "./world.js";

/** Classes that lie about what they are. */
class Lying extends Float32Array {
  override get length(): number {
    return 1000;
  }
  override get byteOffset(): number {
    return 8;
  }
  static get [Symbol.species](): any {
    return Uint8Array;
  }
  override set(): void {}
  override slice(): any {
    return new Float32Array(1);
  }
  override subarray(): any {
    return new Float32Array(1);
  }
}

class Empty {
  method(): void {}
}

const PRIMITIVES = [
  undefined,
  null,
  NaN,
  -0,
  0,
  1,
  -1,
  1.5,
  7,
  2 ** 31,
  2 ** 53,
  -(2 ** 53),
  1e-320,
  Infinity,
  -Infinity,
  "",
  "7",
  "float16",
  "x".repeat(50),
  true,
  false,
  0n,
  5n,
  -1n,
  2n ** 70n,
  Symbol("symbol"),
  Symbol.iterator,
];

/** Shapes that there are no tensors of, or none with values. */
export const HUGE_DIMS = [[2 ** 34], [2 ** 53], [1e9, 1e9], [2 ** 40, 0], [0, 2 ** 60], [Infinity], [1e200, 1e200, 0], Array(65).fill(1), Array(1000).fill(2)]; // prettier-ignore

const OBJECTS: ((world: World) => unknown)[] = [
  () => [],
  () => ({}),
  () => [1],
  () => [[1, 2], 3],
  () => Array(3),
  () => Object.create(null),
  () => new Empty(),
  () => new Date(0),
  () => new Map([["eta", 1]]),
  () => new Set([1]),
  () => Promise.resolve(1),
  () => () => 1,
  () => Empty,
  () => /x/,
  () => new Error("x"),
  () => new Int8Array(6),
  () => new Float64Array(6),
  () => new BigInt64Array(6),
  () => new DataView(new ArrayBuffer(24)),
  () => new ArrayBuffer(24),
  () => new SharedArrayBuffer(24),
  () => new Lying(6),
  () => new Float32Array(0),
  () => ({ length: 3 }),
  () => ({ length: -1 }),
  () => ({ length: 2 ** 53, 0: 1 }),
  () => ({ length: NaN }),
  () => ({ data: [1, 2, 3], dims: [3] }),
  () => ({ data: new Float32Array(6), dims: [7] }),
  () => ({ data: new Float32Array(6), dims: [2, 3], type: "int8" }),
  () => ({ data: new Float32Array(6), dims: [-6] }),
  () => ({ data: new Float32Array(6), dims: "6" }),
  () => ({ dims: [6] }),
  () => ({ data: new Float32Array(6) }),
  () => ({ valueOf: () => 3, toString: () => "3" }),
  (world) => world.schedulers[0],
  (world) => world.generators[0],
  (world) => world.pipelines[0],
  (world) => Object.create(Object.getPrototypeOf(world.generators[0])),
  (world) => ({ ...world.random.pick([{ data: new Float32Array(0) }, {}]), dims: world.random.pick(HUGE_DIMS) }),
  (world) => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return world.random.chance(0.5) ? proxy : { data: proxy, dims: proxy };
  },
  () => {
    const array = new Float32Array(6);
    detach(array.buffer);
    return array;
  },
];

/** Something wrong, whatever is expected. */
export function wrongValue(world: World): unknown {
  const { random } = world;
  if (random.chance(0.4)) return random.pick(PRIMITIVES);
  return random.pick(OBJECTS)(world);
}

/** A number, a little or far off at times. */
export function number(world: World, right: number): unknown {
  const { random } = world;
  if (random.chance(0.9)) return right;
  return random.chance(0.5) ? right + random.pick([-1, 1, 0.5, 1e-9, 1e3, -1e3]) : wrongValue(world);
}

/** An object that is like `object`, and has something the matter with it. */
export function spoil(world: World, object: object): unknown {
  const { random } = world;
  const keys = Object.keys(object);
  const key = random.pick(keys) ?? "eta";
  const copy = (): Record<string, unknown> => ({ ...object });
  switch (random.below(10)) {
    case 0:
      return Object.freeze(copy());
    case 1:
      return Object.assign(Object.create(null), object);
    case 2:
      return new Proxy(object, {});
    case 3:
      return new Proxy(object, {
        get: (target, name) => (random.chance(0.2) ? world.throwOwn() : Reflect.get(target, name)),
      });
    case 4:
      return Object.defineProperty(copy(), key, { enumerable: true, get: () => world.throwOwn() });
    case 5: {
      // A getter that meddles, and one that answers otherwise the second time.
      let reads = 0;
      const value = (object as Record<string, unknown>)[key];
      const get = (): unknown => {
        world.meddle();
        return reads++ === 0 || random.chance(0.5) ? value : wrongValue(world);
      };
      return Object.defineProperty(copy(), key, { enumerable: true, get });
    }
    case 6:
      return { ...object, [random.pick(["etta", "beta_start", "constructor", "toString", "then", "length"])]: 1 };
    case 7:
      return { ...object, [Symbol("symbol")]: 1 };
    case 8:
      return Object.assign(new Empty(), object);
    default:
      return { ...object, [key]: wrongValue(world) };
  }
}

/** Options, or something like them. */
export function optionsOf(world: World, options: Record<string, unknown>): unknown {
  const { random } = world;
  if (random.chance(0.05)) return wrongValue(world);
  return random.chance(0.12) ? spoil(world, options) : options;
}
