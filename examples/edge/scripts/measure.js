// What a picture costs: `npm run measure`. The Worker of the tests in workerd, which is held on one core. CPU time is that of
// all threads of the workerd process, from /proc. A report, which judges nothing.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { MB, watchMemory } from "../test/memory.js";
import { startTestWorker } from "../test/workerd.js";

/** From memory of Cloudflare's page of prices: dollars beyond what 5 dollars a month include. */
const DOLLARS_PER_MILLION = { requests: 0.3, cpuMilliseconds: 0.02 };

const worker = await startTestWorker({ inspectorPort: 0 });
execFileSync("taskset", ["--all-tasks", "--cpu-list", "--pid", "0", String(worker.process)], { stdio: "ignore" });
const memory = await watchMemory(worker);

/** Milliseconds that workerd's threads have computed; Linux counts in hundredths of a second. */
function cpuMilliseconds() {
  const [, fields] = readFileSync(`/proc/${worker.process}/stat`, "utf8").split(") ");
  const [user, system] = fields.split(" ").slice(11, 13).map(Number);
  return 10 * (user + system);
}

async function draw(path, seed) {
  const response = await worker.ask(`${path}&seed=${seed}`);
  if (!response.ok) throw new Error(await response.text());
  await response.arrayBuffer();
}

async function cpuOf(path, count) {
  const before = cpuMilliseconds();
  for (let seed = 0; seed < count; seed++) await draw(path, seed);
  return (cpuMilliseconds() - before) / count;
}

const row = (...cells) => console.log(cells.map((cell, i) => String(cell).padEnd(i === 0 ? 40 : 18)).join(""));
const start = await memory.read();
row("", "CPU ms a picture", "a second a core", "dollars a million");
for (const [name, path, count] of [
  ["digits: 20 steps of ddim", "/picture?model=digits&digit=3", 30],
  ["digits: 10 steps of dpm", "/picture?model=digits&digit=3&sampler=dpm", 30],
  ["shapes: 20 steps of ddim", "/picture?prompt=a+red+star", 15],
  ["shapes: 8 steps of dpm", "/picture?prompt=a+red+star&sampler=dpm&steps=8", 15],
  ["shapes: the most, 50 steps of 80 x 80", "/picture?prompt=a+red+star&steps=50&width=80&height=80", 3],
]) {
  const first = await cpuOf(path, 1);
  await cpuOf(path, 3);
  const cpu = await cpuOf(path, count);
  const dollars = cpu * DOLLARS_PER_MILLION.cpuMilliseconds + DOLLARS_PER_MILLION.requests;
  row(name, cpu.toFixed(0), (1000 / cpu).toFixed(2), dollars.toFixed(2));
  const { resident, heap } = await memory.read();
  const [onnxruntime] = (await worker.state()).memory;
  const sizes = Object.entries({ onnxruntime, heap, "all of workerd": resident });
  const text = sizes.map(([what, size]) => `${what} ${(size / MB).toFixed(0)} MB`).join(", ");
  console.log(`  the first: ${first.toFixed(0)} ms; memory: ${text}`);
}
console.log(`all of workerd before the first picture: ${(start.resident / MB).toFixed(0)} MB`);
memory.close();
await worker.dispose();
