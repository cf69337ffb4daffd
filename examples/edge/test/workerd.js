// The Worker in workerd, by miniflare, with the bucket and the queue of wrangler.jsonc.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Miniflare } from "miniflare";
import { unstable_readConfig as readConfig } from "wrangler";
import { bundle } from "../scripts/bundle.js";

export const folder = fileURLToPath(new URL("..", import.meta.url));
export const config = readConfig({ config: join(folder, "wrangler.jsonc") });

/**
 * @param {string} built a folder with a bundle and its modules
 * @param {string} assets the folder of the static assets
 * @param {import("miniflare").MiniflareOptions} [options]
 */
export async function startWorkerd(built, assets, options) {
  const [bucket] = config.r2_buckets;
  const [producer] = config.queues.producers;
  const [consumer] = config.queues.consumers;
  const worker = new Miniflare({
    name: config.name,
    compatibilityDate: config.compatibility_date,
    compatibilityFlags: config.compatibility_flags,
    modulesRoot: built,
    modules: modulesOf(built),
    assets: {
      directory: assets,
      binding: config.assets.binding,
      routerConfig: { has_user_worker: true, invoke_user_worker_ahead_of_assets: config.assets.run_worker_first },
    },
    r2Buckets: { [bucket.binding]: bucket.bucket_name },
    queueProducers: { [producer.binding]: producer.queue },
    queueConsumers: {
      [consumer.queue]: {
        maxBatchSize: consumer.max_batch_size,
        maxBatchTimeout: consumer.max_batch_timeout,
        maxRetries: consumer.max_retries,
      },
    },
    ...options,
  });
  const url = await worker.ready;
  // A connection each: this process may be busy for longer than workerd keeps one open.
  const ask = (path, { headers, ...init } = {}) =>
    fetch(new URL(path, url), { ...init, headers: { ...headers, connection: "close" } });
  return {
    url,
    ask,
    bucket: await worker.getR2Bucket(bucket.binding),
    queue: await worker.getQueueProducer(producer.binding),
    process: workerdProcess(),
    inspector: () => worker.getInspectorURL(),
    /** What test/worker.ts has counted, and the bytes of onnxruntime's `memory`. */
    state: async (path = "/test/state") => (await ask(path)).json(),
    dispose: () => worker.dispose(),
  };
}

/** With the routes of test/worker.ts. */
export async function startTestWorker(options) {
  const outdir = join(folder, "build/test");
  await bundle("cloudflare", { entry: "test/worker.ts", outdir });
  return startWorkerd(outdir, join(outdir, "assets"), options);
}

/** The script comes first: it is the one that starts. */
function modulesOf(built) {
  const names = readdirSync(built);
  const file = (type) => (name) => ({ type, path: join(built, name), contents: readFileSync(join(built, name)) });
  return [
    ...names.filter((name) => name.endsWith(".js")).map(file("ESModule")),
    ...names.filter((name) => name.endsWith(".wasm")).map(file("CompiledWasm")),
  ];
}

/** The id of the workerd that this process has started last. */
function workerdProcess() {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, "utf8").trim().split(" ").map(Number);
  return children.findLast((id) => readFileSync(`/proc/${id}/comm`, "utf8").trim() === "workerd");
}
