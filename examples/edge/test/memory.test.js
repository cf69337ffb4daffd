// 2,000 pictures leave no memory behind. Three things are watched. Two are taken as the least of each half of the run, so
// that it does not matter when the garbage collector comes:
//
// - onnxruntime's memory may not grow at all. What leaks there grows it as soon as it is full.
// - The Worker's heap may grow by 8 MB: between collections it has up to 25 MB of garbage, and the least is not always taken
//   right after one. A leak of 32 KB a picture, eight arrays of its size, comes to 32 MB in half a run. The second test
//   leaks that much, and is noticed.
// - workerd's resident memory, from /proc, may grow by 24 MB. It is the coarsest: workerd keeps 6 KB for each request, even
//   for one that is answered with 404, and what is allocated first comes from some 80 MB that loading has left free.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { MB, watchMemory } from "./memory.js";
import { startTestWorker } from "./workerd.js";

const MOST_HEAP = 8 * MB;
const MOST_RESIDENT = 24 * MB;
const WARM_UP = 200;
const REQUESTS = 2000;

const worker = await startTestWorker({ inspectorPort: 0 });
const memory = await watchMemory(worker);
after(async () => {
  memory.close();
  await worker.dispose();
});

/** Sends requests, eight at once, and reads the memory now and then. */
async function send(count, pathOf) {
  const readings = [];
  for (let at = 0; at < count; at += 8) {
    const answers = await Promise.all(Array.from({ length: 8 }, (_, i) => worker.ask(pathOf(at + i))));
    await Promise.all(answers.map((answer) => answer.arrayBuffer()));
    assert.ok(answers.every(({ status }) => status === 200));
    if (at % 16 === 0) readings.push(await memory.read());
  }
  return readings;
}

/** How much more the least of the second half is than that of the first. */
function growthOf(readings, name) {
  const half = Math.floor(readings.length / 2);
  const least = (part) => Math.min(...part.map((reading) => reading[name]));
  return least(readings.slice(half)) - least(readings.slice(0, half));
}

const digit = (i) => `/picture?model=digits&digit=${i % 10}&steps=1&seed=${i}`;

test("memory stays flat over 2,000 pictures", async (t) => {
  await send(WARM_UP, digit);
  const { memory: before } = await worker.state();
  const readings = await send(REQUESTS, (i) => digit(WARM_UP + i));
  for (const name of ["resident", "heap"]) {
    const every = Math.ceil(readings.length / 10);
    const values = readings.filter((_, i) => i % every === 0).map((reading) => (reading[name] / MB).toFixed(1));
    t.diagnostic(`${name}: ${values.join(" ")} MB, growth ${(growthOf(readings, name) / MB).toFixed(2)} MB`);
  }
  t.diagnostic(`onnxruntime: ${(before[0] / MB).toFixed(1)} MB`);
  assert.deepEqual((await worker.state()).memory, before);
  assert.ok(growthOf(readings, "heap") < MOST_HEAP);
  assert.ok(growthOf(readings, "resident") < MOST_RESIDENT);
});

test("a leak of 32 KB a request shows in the heap", async (t) => {
  const readings = await send(REQUESTS, () => "/test/leak?bytes=32768");
  const growth = growthOf(readings, "heap");
  t.diagnostic(`growth ${(growth / MB).toFixed(2)} MB`);
  assert.ok(growth > MOST_HEAP);
});
