// The Worker of src/cloudflare.ts with routes of its own. /test/state tells how often a model was called, how many messages
// the queue has brought and how much memory onnxruntime has. /test/fail lets the next calls fail, /test/slow the next file
// take two seconds. /test/leak keeps memory.

import type { MessageBatch } from "@cloudflare/workers-types";
import { env } from "cloudflare:workers";
import module from "onnxruntime-web/ort-wasm-simd-threaded.wasm";
import { createHandler } from "../src/handler.js";
import type { WantedPicture } from "../src/job-list.js";
import { openJobs } from "../src/jobs.js";
import { openModels } from "../src/models.js";
import { type Engine, startOnnxruntime } from "../src/onnxruntime.js";
import { readOver } from "../src/read.js";

let calls = 0;
let reads = 0;
let messages = 0;
let failures = 0;
let isSlow = false;
const kept: Uint8Array[] = [];
const memories: WebAssembly.Memory[] = [];

WebAssembly.Memory = class extends WebAssembly.Memory {
  constructor(descriptor: WebAssembly.MemoryDescriptor) {
    super(descriptor);
    memories.push(this);
  }
};

async function startCounting(): Promise<Engine> {
  const { InferenceSession, Tensor } = await startOnnxruntime(module);
  const create = async (bytes: Uint8Array, options?: object) => {
    const session = await InferenceSession.create(bytes, options);
    const run = session.run.bind(session);
    session.run = ((feeds: Parameters<typeof run>[0]) => {
      calls++;
      if (failures > 0 && failures--) throw new Error("this model call fails, as the test asked for");
      return run(feeds);
    }) as typeof run;
    return session;
  };
  return { InferenceSession: { ...InferenceSession, create } as typeof InferenceSession, Tensor };
}

async function readSlowly(path: string) {
  reads++;
  if (isSlow) {
    isSlow = false;
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
  return read(path);
}

const read = readOver("http://assets", env.ASSETS);
const models = openModels(readSlowly, startCounting);
const jobs = openJobs(env.PICTURES, env.JOBS);
const handler = createHandler(models, jobs);

export default {
  async fetch(request: Request) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/test/fail") failures = Number(searchParams.get("times"));
    if (pathname === "/test/slow") isSlow = true;
    if (pathname === "/test/leak") kept.push(new Uint8Array(Number(searchParams.get("bytes"))).fill(1));
    if (pathname.startsWith("/test/")) {
      return Response.json({ calls, reads, messages, memory: memories.map(({ buffer }) => buffer.byteLength) });
    }
    return handler(request);
  },
  queue: (batch: MessageBatch<WantedPicture>) => {
    messages += batch.messages.length;
    return jobs.run(batch, models);
  },
};
