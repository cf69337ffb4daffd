// Rebuilds what running the library takes whenever a source changes, with a line for each rebuild: `npm run dev`.
// The declarations and the minified file are left to `npm run build`.

import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { watch } from "chokidar";
import { buildChanged, bundleAllReadable, CORE_SOURCES, READABLE_SOURCES } from "./build.js";

/** Milliseconds to wait for more changes: editors save in several writes, and git writes many files. */
const QUIET = 30;

/** Runs a build and prints how it went. */
async function report(what, build) {
  const start = performance.now();
  // asc or esbuild has printed why it failed.
  const outcome = await build().then(
    () => "rebuilt",
    () => "failed",
  );
  const seconds = ((performance.now() - start) / 1000).toFixed(2);
  console.log(`${new Date().toLocaleTimeString("en-GB")} ${outcome} in ${seconds} s: ${what}`);
}

function isCoreSource(file) {
  return CORE_SOURCES.some((source) => file === source || file.startsWith(`${source}/`));
}

const changes = new Set();
let isPlanned = false;
let work = Promise.resolve();

async function rebuild() {
  await setTimeout(QUIET);
  const files = [...changes];
  changes.clear();
  isPlanned = false;
  const what = files.length > 3 ? `${files.length} files` : files.join(", ");
  await report(what, files.some(isCoreSource) ? buildChanged : bundleAllReadable);
}

const watcher = watch([...new Set([...CORE_SOURCES, ...READABLE_SOURCES])], {
  cwd: fileURLToPath(new URL("..", import.meta.url)),
  ignoreInitial: true,
});
for (const event of ["add", "change", "unlink"]) {
  watcher.on(event, (file) => {
    changes.add(file.replaceAll("\\", "/"));
    if (!isPlanned) work = work.then(rebuild);
    isPlanned = true;
  });
}
await once(watcher, "ready");
work = report("what was out of date", buildChanged);
await work;
console.log("watching index.ts, src and assembly; Ctrl-C ends it");
