// The Worker. The models' files are its static assets, and jobs go through its queue into its bucket.

import type { MessageBatch } from "@cloudflare/workers-types";
import { env } from "cloudflare:workers";
import module from "onnxruntime-web/ort-wasm-simd-threaded.wasm";
import { createHandler } from "./handler.js";
import type { WantedPicture } from "./job-list.js";
import { openJobs } from "./jobs.js";
import { openModels } from "./models.js";
import { startOnnxruntime } from "./onnxruntime.js";
import { readOver } from "./read.js";

const models = openModels(readOver("http://assets", env.ASSETS), () => startOnnxruntime(module));
const jobs = openJobs(env.PICTURES, env.JOBS);
const handler = createHandler(models, jobs);

export default {
  fetch: (request: Request) => handler(request),
  queue: (batch: MessageBatch<WantedPicture>) => jobs.run(batch, models),
};
