// Cold start: a fresh process, from nothing to the first result, less an empty process.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { makeModel } from "./contestants/onnx-graphs.js";
import { summarise } from "./measure.js";

const FILES = ["ddim-wasm", "plain-loop", "tensor-chain", "tfjs", "onnxruntime-web"];

const TASK = {
  operation: "clipped step",
  type: "float32",
  dims: [1, 16],
  batch: 1,
  length: 16,
  timestep: 500,
  inferenceSteps: 50,
  threshold: {},
  sqrtAlpha: 0.8,
  sqrtBeta: 0.6,
  sqrtAlphaPrev: 0.96,
  sqrtBetaPrev: 0.28,
};

/** A user of onnxruntime-web has the model as a file. */
const MODEL = Buffer.from(makeModel(TASK, { x: TASK, y: TASK })).toString("base64");

/** Imports a contestant and does one clipped step on 16 elements. */
function makeScript(file) {
  return `
    const { default: [contestant] } = await import("./contestants/${file}.js");
    const [sample, modelOutput, noise] = [1, 0.5, 0].map((value) => new Float32Array(16).fill(value));
    const model = Uint8Array.from(Buffer.from("${MODEL}", "base64"));
    const runner = await contestant.prepare({ ...${JSON.stringify(TASK)}, sample, modelOutput, noise, model });
    await runner.run();
    if (!(runner.result()[0] > 0)) throw new Error("no result");
    console.log(contestant.name);
    process.exit();
  `;
}

/** Milliseconds that a process takes, and what it prints. */
function time(script) {
  const start = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    cwd: fileURLToPath(new URL(".", import.meta.url)),
    encoding: "utf8",
  });
  const elapsed = performance.now() - start;
  if (status !== 0) throw new Error(stderr);
  return { elapsed, printed: stdout.trim() };
}

/** Times every file's first contestant, in turn with an empty process. */
export function measureColdStart(runs) {
  const entries = FILES.map((file) => ({ script: makeScript(file), name: "", times: [] }));
  const empty = { script: "process.exit();", times: [] };
  for (const { script } of entries) time(script); // the files come from the disk's cache from here on
  for (let run = 0; run < runs; run++) {
    for (const entry of [empty, ...entries]) {
      const { elapsed, printed } = time(entry.script);
      entry.times.push(elapsed);
      entry.name = printed;
    }
  }
  const base = summarise(empty.times).median;
  const rows = entries.map(({ name, times }) => ({ name, ...summarise(times.map((elapsed) => elapsed - base)) }));
  return { emptyProcess: base, runs, rows };
}
