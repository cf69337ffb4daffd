// What would be deployed: its types, its size, and that it draws.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { PICTURES, referenceOf } from "./reference.js";
import { folder, startWorkerd } from "./workerd.js";

const run = promisify(execFile);
/** Runs a command of this folder's packages. */
async function command(name, ...args) {
  const env = {
    ...process.env,
    NO_COLOR: "1",
    WRANGLER_SEND_METRICS: "false",
    WRANGLER_LOG_PATH: join(folder, "build"),
  };
  const { stdout } = await run(join(folder, "node_modules/.bin", name), args, { cwd: folder, env });
  return stdout;
}

const KB_PAID = 10 * 1024;
const KB_FREE = 3 * 1024;

test("the types are right", async () => {
  assert.equal(await command("tsc"), "");
});

test("wrangler deploy --dry-run gives a Worker that fits into 10 MB, not into 3, and draws", async (t) => {
  const outdir = join(folder, "build/deployed");
  rmSync(outdir, { recursive: true, force: true });
  const output = await command("wrangler", "deploy", "--dry-run", "--outdir", outdir);
  const [, gzip] = /Total Upload: [\d.]+ KiB \/ gzip: ([\d.]+) KiB/.exec(output);
  t.diagnostic(`${gzip} KiB of ${KB_PAID} in the paid plan, ${KB_FREE} in the free one`);
  assert.ok(Number(gzip) < KB_PAID, output);
  // The README says so. Once it fits, the README has good news to tell.
  assert.ok(Number(gzip) > KB_FREE, output);

  const worker = await startWorkerd(outdir, join(folder, "build/cloudflare/assets"));
  try {
    for (const path of [PICTURES[1], PICTURES[4]]) {
      const response = await worker.ask(path);
      assert.deepEqual(Buffer.from(await response.arrayBuffer()), await referenceOf(path));
    }
  } finally {
    await worker.dispose();
  }
});

test("no picture has changed without a new version", async () => {
  const { version, pictures } = JSON.parse(readFileSync(join(folder, "test/golden.json"), "utf8"));
  const [, current] = /VERSION = (\d+);/.exec(readFileSync(join(folder, "src/version.ts"), "utf8"));
  const digests = {};
  for (const path of PICTURES)
    digests[path] = createHash("sha256")
      .update(await referenceOf(path))
      .digest("hex");
  assert.deepEqual({ version: Number(current), pictures: digests }, { version, pictures });
});
