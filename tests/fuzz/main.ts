// Calls the whole public API with right and wrong arguments for a while.
//
//     npm run fuzz -- --seconds 60                     from a seed of chance
//     npm run fuzz -- --seed 17 --rounds 1             one round again
//     npm run fuzz -- --build scalar                   also: portable

import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { copy, type Library } from "../implementations.js";
import { CALLS_OF_ROUND, Fault, playRound, takeCanary } from "./round.js";
import { probeMemory } from "./world.js";

const { values } = parseArgs({
  options: {
    seconds: { type: "string" },
    rounds: { type: "string" },
    seed: { type: "string" },
    build: { type: "string", default: "simd" },
  },
});

const BUILDS: Record<string, () => Promise<Library>> = {
  simd: () => copy("fuzz"),
  scalar: () => copy("fuzz", "ddim-wasm/core.scalar.wasm"),
  portable: async () => (await import("ddim-wasm/portable")) as Library,
};

const load = BUILDS[values.build];
if (!load) throw new RangeError(`--build takes ${Object.keys(BUILDS).join(", ")}, not ${values.build}`);
const library = await load();
const first = Number(values.seed ?? Date.now() % 2 ** 31);
const rounds = Number(values.rounds ?? Infinity);
const end = performance.now() + 1000 * Number(values.seconds ?? (values.rounds ? Infinity : 60));
if (!Number.isInteger(first) || Number.isNaN(rounds) || Number.isNaN(end)) throw new TypeError("--seed, --rounds and --seconds take numbers"); // prettier-ignore

// What a scheduler ignores is told on the console.
console.warn = () => {};

/** Where a small tensor is allocated, and how much memory the module has. */
function surveyMemory(): { address: number; bytes: number } {
  const { byteOffset: address, buffer } = probeMemory(library);
  return { address, bytes: buffer.byteLength };
}

/** The seed of the round, for a thread that looks whether it ends: far longer than any takes on a busy machine. */
const current = new Uint32Array(new SharedArrayBuffer(4));
const WATCH = `
  const { writeSync } = require("node:fs");
  const { current, build } = require("node:worker_threads").workerData;
  let last = -1;
  setInterval(() => {
    if (current[0] === last) {
      writeSync(1, "seed " + last + ": does not end\\n    npm run fuzz -- --seed " + last + " --rounds 1 --build " + build + "\\n");
      process.kill(process.pid, "SIGKILL");
    }
    last = current[0];
  }, 60_000);`;
new Worker(WATCH, { eval: true, workerData: { current, build: values.build } }).unref();

const canary = takeCanary(library);
const before = surveyMemory();
let calls = 0;
let failures = 0;
for (let round = 0; round < rounds && performance.now() < end; round++) {
  const seed = (first + round) % 2 ** 32;
  current[0] = seed;
  try {
    calls += await playRound(library, seed, canary);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    failures++;
    console.log(`seed ${seed}: ${error.message}`);
    console.log((error.cause as Error | undefined)?.stack?.split("\n").slice(1, 6).join("\n") ?? "");
    console.log(`    npm run fuzz -- --seed ${seed} --rounds 1 --build ${values.build}`);
    if (failures === 10) break;
  }
}
const after = surveyMemory();
const kilobytes = (after.bytes - before.bytes) / 1024;
console.log(`${values.build}, seed ${first}: ${calls} calls in rounds of ${CALLS_OF_ROUND}, ${failures} failures`);
console.log(`the module's memory has grown by ${kilobytes} KiB`);
// Residents of a round hold less than this at a time.
if (kilobytes > 16 * 1024) {
  console.log("that is more than a round takes");
  failures++;
}
if (failures === 0 && after.address !== before.address) {
  console.log(`blocks are missing: the first is at ${after.address} instead of ${before.address}`);
  failures++;
}
process.exitCode = failures > 0 ? 1 : 0;
