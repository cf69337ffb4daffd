// npm run bench -- [--quick] [--only step,randn,...] [--json FILE]

import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { checkResult, computeExpected, WrongResult } from "./check.js";
import { measureColdStart } from "./cold-start.js";
import { loadContestants } from "./contestants/index.js";
import { GUIDANCE_SCALE, INFERENCE_STEPS, makeTask, nameShape, OPERATIONS, SHAPES, SIZES, THRESHOLD, TIMESTEP, TYPES } from "./data.js"; // prettier-ignore
import { FLOAT16_ARRAY_SOURCE } from "./half.js";
import { describeMachine } from "./machine.js";
import { measure, sink } from "./measure.js";
import { LEGEND, printColdStart, printOperation, printSizes } from "./report.js";

const BY_SIZE = "by size";
const COLD_START = "cold start";

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string" },
    json: { type: "string", default: fileURLToPath(new URL("results.json", import.meta.url)) },
  },
});

const effort = options.quick
  ? { turns: 9, warmUp: 10, budget: 60, coldStarts: 5, shapes: SHAPES.slice(0, 2), sizes: SIZES.slice(0, 4) }
  : { turns: 21, warmUp: 60, budget: 250, coldStarts: 10, shapes: SHAPES, sizes: SIZES };

/** The operations, and the measurements beside them, whose names contain one of the words of --only. */
function select() {
  const all = [...OPERATIONS, BY_SIZE, COLD_START];
  if (options.only === undefined) return all;
  const words = options.only.split(",");
  for (const word of words) {
    if (!all.some((name) => name.includes(word)))
      throw new Error(`--only takes parts of ${all.join(", ")}; got ${word}`);
  }
  return all.filter((name) => words.some((word) => name.includes(word)));
}

/** Prepares a contestant and checks its result. What it gives is its row of the table. */
async function enter({ name, prepare }, task, expected) {
  const row = { name, times: null, reason: null };
  try {
    const runner = await prepare(task);
    await runner.run();
    if (!runner.unchecked) checkResult(task, expected, runner.result(), name, runner.roundsEachOperation);
    return { row, runner };
  } catch (error) {
    row.reason = error.message;
    if (error instanceof WrongResult) {
      row.reason = `WRONG: ${error.message}`;
      process.exitCode = 1;
    }
    return { row, runner: null };
  }
}

/** All contestants on one task. */
async function compete(contestants, operation, type, dims) {
  const task = makeTask(operation, type, dims);
  const expected = computeExpected(task);
  const entries = [];
  for (const contestant of contestants.filter(({ takesPart }) => takesPart?.(operation, type) ?? true))
    entries.push(await enter(contestant, task, expected));
  const present = entries.filter(({ runner }) => runner);
  const times = await measure(
    present.map(({ runner }) => runner),
    task.length,
    effort,
  );
  for (const [i, { row, runner }] of present.entries()) {
    row.times = times[i];
    await runner.dispose?.();
  }
  return { shape: nameShape(dims), clipped: expected.clipped, rows: entries.map(({ row }) => row) };
}

const selected = select();
const machine = describeMachine();
console.log(`${machine.processor}, ${machine.cores} cores, ${machine.system}; Node ${machine.node} (V8 ${machine.v8})`);
console.log(Object.entries(machine.packages).map((entry) => entry.join(" ")).join(", ")); // prettier-ignore
console.log(`load average ${machine.loadAverage.toFixed(2)}; one thread; Float16Array is ${FLOAT16_ARRAY_SOURCE}`);
console.log(`standard normal data, timestep ${TIMESTEP} of 1000, ${INFERENCE_STEPS} steps, guidance ${GUIDANCE_SCALE}`);
console.log(LEGEND);

const operations = [];
for (const type of TYPES) {
  const contestants = await loadContestants(type);
  for (const operation of OPERATIONS.filter((name) => selected.includes(name))) {
    const columns = [];
    for (const dims of effort.shapes) columns.push(await compete(contestants, operation, type, dims));
    printOperation(`${operation}, ${type}`, columns);
    operations.push({ operation, type, columns });
  }
}

// What the library's own cost depends on: an element's is to be the same in tensors of any size, but for the caches.
const bySize = [];
if (selected.includes(BY_SIZE)) {
  for (const type of TYPES) {
    const contestants = (await loadContestants(type)).filter((contestant) => contestant.bySize);
    const columns = [];
    for (const dims of effort.sizes) columns.push(await compete(contestants, "clipped step", type, dims));
    printSizes(`clipped step, ${type}, by size`, columns);
    bySize.push({ operation: "clipped step", type, columns });
  }
}

let coldStart = null;
if (selected.includes(COLD_START)) {
  coldStart = measureColdStart(effort.coldStarts);
  printColdStart(coldStart);
}

const settings = { quick: options.quick, timestep: TIMESTEP, inferenceSteps: INFERENCE_STEPS, guidanceScale: GUIDANCE_SCALE, threshold: THRESHOLD }; // prettier-ignore
const path = resolve(options.json);
writeFileSync(
  path,
  `${JSON.stringify({ machine, settings, operations, bySize, coldStart, sink: sink.value }, null, 2)}\n`,
);
console.log(`\n${Math.round(performance.now() / 1000)} s; written to ${path}`);
