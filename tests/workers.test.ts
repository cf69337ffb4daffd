// Workers that end in the middle of a step: the process goes on, and so do other workers.

import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { implementations } from "./implementations.js";
import { assertSameBits, normalData } from "./tensors.js";

const LENGTH = 2 ** 20;

/** Steps for ever on memory that it shares with the process, or once. */
const WORKER = `
  const { parentPort, workerData } = require("node:worker_threads");
  const { DDIMScheduler, Generator } = require("ddim-wasm");
  const { x, m, out, isEndless } = workerData;
  const scheduler = new DDIMScheduler();
  scheduler.setTimesteps(20);
  const step = () => scheduler.step(m, x, 500, { eta: 1, generator: new Generator(3), out });
  step();
  parentPort.postMessage("stepped");
  while (isEndless) step();`;

function shared(values: Float32Array): Float32Array {
  const copy = new Float32Array(new SharedArrayBuffer(values.byteLength));
  copy.set(values);
  return copy;
}

const [x, m] = [shared(normalData(1, LENGTH)), shared(normalData(2, LENGTH))];
const { DDIMScheduler, Generator } = implementations.simd;
const scheduler = new DDIMScheduler();
scheduler.setTimesteps(20);
const takeStep = (): Float32Array => scheduler.step(m, x, 500, { eta: 1, generator: new Generator(3) });

async function start(out: Float32Array, isEndless: boolean): Promise<Worker> {
  const worker = new Worker(WORKER, { eval: true, workerData: { x, m, out, isEndless } });
  await once(worker, "message");
  return worker;
}

test("a worker that is terminated in the middle of a step leaves everything else as it was", async () => {
  const expected = takeStep();
  const inputs = [x.slice(), m.slice()];
  for (let round = 0; round < 6; round++) {
    const out = shared(new Float32Array(LENGTH));
    const endless = await start(out, true);
    // Somewhere in a step of some milliseconds, each time elsewhere.
    await setTimeout(round);
    await endless.terminate();
    assertSameBits(takeStep(), expected, "in the process");
    const other = await start(out, false);
    await other.terminate();
    assertSameBits(out.slice(), expected, "in another worker");
    [x, m].forEach((input, i) => assertSameBits(input.slice(), inputs[i]!, `input ${i}`));
  }
});

test("workers side by side, each with an instance of its own, give the same", async () => {
  const expected = takeStep();
  const outs = Array.from({ length: 3 }, () => shared(new Float32Array(LENGTH)));
  const workers = await Promise.all(outs.map((out) => start(out, false)));
  for (const out of outs) assertSameBits(out.slice(), expected);
  for (const worker of workers) await worker.terminate();
  assert.is(workers.length, 3);
});

test.run();
