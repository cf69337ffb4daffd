// The one instance of the WebAssembly module, made at first use. Everything of a call is read and checked before
// the module is touched, and nothing of a call stays in it.

import { instantiate, prepare } from "#platform";
import type { ModuleSource } from "./platform/module-source.js";

/** What the module exports; addresses are byte offsets into `memory`. */
export interface Core {
  readonly memory: { readonly buffer: ArrayBuffer };
  stage(index: number): number;
  randomState(): number;
  heapBase(): number;
  grow(pages: number): number;
  // prettier-ignore
  update(
    out: number, x: number, m: number, cond: number, n: number, guidance: number,
    withSample: boolean, q: number, u: number, s: number, b: number, c: number,
  ): void;
  blend(out: number, from: number, to: number, weights: number, weight: number, n: number): void;
  beginDeviations(first: number, second: number): void;
  addDeviations(index: number, values: number, n: number): void;
  deviationRatio(n: number): number;
  decode(out: number, source: number, n: number): void;
  encode(out: number, source: number, n: number): void;
  beginSelection(index: number): void;
  count(values: number, n: number): void;
  narrow(): void;
  selected(): number;
  selectedNext(): number;
  seedRandom(seed: number): void;
  drawWords(out: number, n: number): void;
  drawUniforms(out: number, n: number, half: boolean): void;
  drawNormals(out: number, n: number, half: boolean): void;
  drawFewNormals(out: number, n: number): void;
  cosines(values: number, n: number): void;
  exponentials(values: number, n: number): void;
}

let core: Core | undefined;
let buffer: ArrayBuffer | undefined;

/** The module's instance. */
export function useCore(): Core {
  return (core ??= start());
}

/** The module's memory. It moves when it grows, which nothing but `growMemory` makes it do. */
export function useMemory(): ArrayBuffer {
  return (buffer ??= useCore().memory.buffer);
}

/** Adds pages of 64 KiB to the module's memory, as far as there are any. */
export function growMemory(pages: number): void {
  const { memory, grow } = useCore();
  try {
    grow(pages);
  } finally {
    buffer = memory.buffer;
  }
}

/** Instantiates the module, and refuses an engine that computes wrongly: some had faulty SIMD (iOS 16.4). */
function start(module?: Awaited<ReturnType<typeof prepare>>): Core {
  const remedy = 'import "ddim-wasm/portable", or give init the module "ddim-wasm/core.scalar.wasm"';
  let started: Core;
  try {
    started = instantiate(module) as Core;
  } catch (cause) {
    throw new Error(`this engine does not start the WebAssembly module (it takes SIMD): ${remedy}`, { cause });
  }

  if (digest(started) !== DIGEST) throw new Error(`this engine computes the WebAssembly module wrongly: ${remedy}`);
  return started;
}

/** What `digest` gives where everything is computed rightly. */
const DIGEST = 539339236;

/** A number that depends on every bit of a known computation through most of the module's instructions. */
function digest(core: Core): number {
  const n = 23;
  const [x, m, z] = [core.stage(0), core.stage(1), core.stage(2)];
  core.seedRandom(0);
  core.drawNormals(x, n, false);
  core.drawNormals(m, n, false);
  core.drawUniforms(z, n, false);
  core.blend(m, m, z, z, 0, n);
  core.update(x, x, m, z, n, 2, true, -0.5, 1.5, 1, 0.1, 0.4);
  core.encode(z, x, n);
  core.decode(m, z, n);
  let hash = 0;
  for (const address of [x, m]) {
    for (const word of new Uint32Array(core.memory.buffer, address, n)) hash = Math.imul(hash ^ word, 0x01000193);
  }
  return hash >>> 0;
}

/**
 * Loads the WebAssembly module ahead of the first use, which otherwise compiles the module inside the library, at
 * once and synchronously.
 *
 * Call it where a host forbids that (a browser's main thread before Chrome 114), or to give the module yourself:
 * `ddim-wasm/core.wasm`, or `ddim-wasm/core.scalar.wasm` for an engine without SIMD. A failure leaves the library
 * as it was.
 *
 * @param source the module's bytes, a WebAssembly.Module, or a promise of either; left out, the module inside the library
 * @throws Error when a source is given although the module is in use already
 * @throws whatever the engine says of bytes that it cannot compile
 * @example
 * import { init } from "ddim-wasm";
 * await init();
 */
export async function init(source?: ModuleSource | PromiseLike<ModuleSource>): Promise<void> {
  refuseSecond(source);
  if (core) return;
  const module = await prepare(await source);
  refuseSecond(source);
  core ??= start(module);
}

function refuseSecond(source: unknown): void {
  if (core && source !== undefined) {
    throw new Error('"source" came too late: the module is already in use; call init before anything else');
  }
}
