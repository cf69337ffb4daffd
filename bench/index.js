// npm run bench -- [--quick] [--only step,randn,...] [--json FILE]

import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { computeExpected } from "./check.js";
import { measureColdStart } from "./cold-start.js";
import { compete, enter } from "./compete.js";
import { loadContestants } from "./contestants/index.js";
import { measureCorners } from "./corners/index.js";
import { GUIDANCE_SCALE, INFERENCE_STEPS, makeTask, nameShape, OPERATIONS, SHAPES, SIZES, THRESHOLD, TIMESTEP, TYPES } from "./data.js"; // prettier-ignore
import { FLOAT16_ARRAY_SOURCE } from "./half.js";
import { describeMachine } from "./machine.js";
import { sink } from "./measure.js";
import { CORNERS_LEGEND, LEGEND, printColdStart, printCorners, printOperation, printSizes } from "./report.js";

const BY_SIZE = "by size";
const CORNERS = "corners";
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
  const all = [...OPERATIONS, BY_SIZE, CORNERS, COLD_START];
  if (options.only === undefined) return all;
  const words = options.only.split(",");
  for (const word of words) {
    if (!all.some((name) => name.includes(word)))
      throw new Error(`--only takes parts of ${all.join(", ")}; got ${word}`);
  }
  return all.filter((name) => words.some((word) => name.includes(word)));
}

/** All contestants on one task. */
async function measureTask(contestants, operation, type, dims) {
  const task = makeTask(operation, type, dims);
  const expected = computeExpected(task);
  const present = contestants.filter(({ takesPart }) => takesPart?.(operation, type) ?? true);
  const entries = present.map((contestant) => enter(contestant, task, expected));
  return { shape: nameShape(dims), clipped: expected.clipped, rows: await compete(entries, task.length, effort) };
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
    for (const dims of effort.shapes) columns.push(await measureTask(contestants, operation, type, dims));
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
    for (const dims of effort.sizes) columns.push(await measureTask(contestants, "clipped step", type, dims));
    printSizes(`clipped step, ${type}, by size`, columns);
    bySize.push({ operation: "clipped step", type, columns });
  }
}

const corners = [];
if (selected.includes(CORNERS)) {
  console.log(`\n${CORNERS_LEGEND}`);
  for await (const group of measureCorners(effort)) {
    printCorners(group);
    corners.push(group);
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
  `${JSON.stringify({ machine, settings, operations, bySize, corners, coldStart, sink: sink.value }, null, 2)}\n`,
);
console.log(`\n${Math.round(performance.now() / 1000)} s; written to ${path}`);
