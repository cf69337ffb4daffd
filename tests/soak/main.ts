// Ten million small steps and a thousand large ones: memory has to stay what it is, and time is told.
//
//     npm run soak                        --share 0.1 for a tenth of it

import { setImmediate } from "node:timers/promises";
import { parseArgs } from "node:util";
import { copy, type Library } from "../implementations.js";

const { values } = parseArgs({ options: { share: { type: "string", default: "1" } } });
const share = Number(values.share);
if (!(share > 0 && share <= 1)) throw new RangeError(`--share takes a number in (0, 1], not ${values.share}`);

const library: Library = await copy("soak");
const { DDIMScheduler, DPMSolverMultistepScheduler, LCMScheduler, DiffusionPipeline, Generator, allocate } = library;

/** Parts that each kind of call is made in; the first one warms up. */
const PARTS = 10;

/** Bytes that may be left after all parts, beyond what there was after the first. */
const SLACK = 512 * 1024;

const generator = new Generator(1);
const draw = (length: number): Float32Array<ArrayBuffer> => generator.randn([length]).data;

function set<T extends { setTimesteps(steps: number): void }>(scheduler: T): T {
  scheduler.setTimesteps(20);
  return scheduler;
}

const ddim = set(new DDIMScheduler({ clipSample: false }));
const thresholding = set(new DDIMScheduler({ thresholding: true }));
const lcm = set(new LCMScheduler());
const dpm = set(new DPMSolverMultistepScheduler());

const SMALL = 64;
const [x, m, z, out] = [draw(SMALL), draw(SMALL), draw(SMALL), new Float32Array(SMALL)];
const doubled = { data: draw(2 * SMALL), dims: [2, SMALL] };
const sample = { data: x, dims: [1, SMALL] };
const [halfX, halfM] = [1, 2].map((seed) => new Generator(seed).randn([SMALL], { type: "float16" }).data);
const history = { predOriginalSample: z, timestep: 900 };

const LARGE = 2 ** 20;
const [largeX, largeM, largeOut] = [draw(LARGE), draw(LARGE), new Float32Array(LARGE)];
const largeDoubled = { data: draw(2 * LARGE), dims: [2, LARGE] };
const resident = allocate([1, LARGE]);
resident.data.set(largeX);

const pipeline = new DiffusionPipeline({ scheduler: set(new DDIMScheduler()), model: (tensor) => tensor });
const controller = new AbortController();

/** Calls, how often they are made, and how many steps each is. */
const CALLS: Record<string, [times: number, call: () => unknown, steps?: number]> = {
  "64 values, out": [4_000_000, () => ddim.step(m, x, 950, { out })],
  "64 values, a new result": [1_000_000, () => ddim.step(m, x, 950, { returnDict: true })],
  "64 values, noise": [1_000_000, () => ddim.step(m, x, 950, { eta: 1, generator, out })],
  "64 values, thresholding": [1_000_000, () => thresholding.step(m, x, 950, { out })],
  "64 values, guidance": [
    1_000_000,
    () => ddim.step(doubled, sample, 950, { guidanceScale: 3, guidanceRescale: 0.7, out }),
  ],
  "64 halves": [500_000, () => ddim.step(halfM!, halfX!, 950)],
  "64 values, LCM": [500_000, () => lcm.step(m, x, 999, { varianceNoise: z, out, prevTimestep: 500 })],
  "64 values, DPM-Solver++": [500_000, () => dpm.step(m, x, 800, { history, out, prevTimestep: 700 })],
  "64 values, addNoise": [400_000, () => ddim.addNoise(x, z, 500, { out })],
  "a new scheduler": [2_000, () => set(new DDIMScheduler({ betaSchedule: "linear" }))],
  "a new generator": [20_000, () => new Generator(7).randn([4])],
  "a resident tensor": [100_000, () => allocate([1, 300]).free()],
  "a refused step": [50_000, () => refuse(() => ddim.step(m, new Float32Array(3), 950))],
  "a run of 10 steps": [
    10_000,
    () => pipeline.run({ dims: [1, 64], generator, numInferenceSteps: 10, signal: controller.signal }),
    10,
  ],
  "2^20 values, out": [400, () => ddim.step(largeM, largeX, 950, { out: largeOut })],
  "2^20 values, resident": [200, () => ddim.step(resident, resident, 950, { out: resident })],
  "2^20 values, noise": [200, () => ddim.step(largeM, largeX, 950, { eta: 1, generator })],
  "2^20 values, guidance": [
    200,
    () =>
      thresholding.step(largeDoubled, { data: largeX, dims: [1, LARGE] }, 950, { guidanceScale: 3, returnDict: true }),
  ],
};

function refuse(call: () => unknown): void {
  try {
    call();
  } catch {
    return;
  }
  throw new Error("a call that should be refused was not");
}

/** What the process holds, once garbage is collected. */
async function survey(): Promise<{ heap: number; outside: number; module: number }> {
  for (let round = 0; round < 3; round++) {
    globalThis.gc!();
    await setImmediate();
  }
  const { heapUsed: heap, external, arrayBuffers } = process.memoryUsage();
  return { heap, outside: external + arrayBuffers, module: resident.data.buffer.byteLength };
}

const rows: Record<string, object> = {};
const leaks: string[] = [];
let steps = 0;
for (const [name, [times, call, stepsEach = 1]] of Object.entries(CALLS)) {
  const each = Math.max(Math.round((times * share) / PARTS), 1);
  const microseconds: number[] = [];
  let first = await survey();
  for (let part = 0; part < PARTS; part++) {
    const start = performance.now();
    for (let i = 0; i < each; i++) {
      const result = call();
      if (result instanceof Promise) await result;
    }
    microseconds.push((1000 * (performance.now() - start)) / each);
    if (part === 0) first = await survey();
  }
  steps += PARTS * each * stepsEach;
  const last = await survey();
  const left = {
    heap: last.heap - first.heap,
    outside: last.outside - first.outside,
    module: last.module - first.module,
  };
  for (const [where, bytes] of Object.entries(left)) {
    if (bytes > (where === "module" ? 0 : SLACK)) leaks.push(`${name}: ${bytes} bytes are left, ${where}`);
  }
  rows[name] = {
    calls: PARTS * each,
    "us, second part": Number(microseconds[1]!.toPrecision(3)),
    "us, last part": Number(microseconds.at(-1)!.toPrecision(3)),
    "KB left": Math.round((left.heap + left.outside) / 1024),
  };
}
console.table(rows);
console.log(`${steps.toLocaleString("en")} steps; the module has ${resident.data.buffer.byteLength / 2 ** 20} MiB`);
for (const leak of leaks) console.log(leak);
process.exitCode = leaks.length > 0 ? 1 : 0;
