// Cold start on every engine: milliseconds from the import of the installed package to the first step done. A report, which
// judges nothing.
//
//     node cold-start.js             20 processes of each engine, 5 of each browser
//     node cold-start.js --runs 50   50 processes

import { spawnSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { cpus, loadavg, release, type } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { getQuickJS } from "quickjs-emscripten";
import { BROWSERS, visit, WASM } from "./engines/browsers.js";
import { bundle } from "./engines/bundle.js";
import { BUN, DENO, environment, NEWER_NODE, NODE, versionOf } from "./engines/command-line.js";
import { bundleEdgeFunction, startEdgeRuntime, version as edgeVersion } from "./engines/edge-light.js";
import { version as quickjsVersion } from "./engines/quickjs.js";
import { bundleWorker, missing, version as workerdVersion } from "./engines/workerd.js";
import { installPackage } from "./install.js";

const BROWSER_RUNS = 5;

const STEP = `
  const scheduler = new DDIMScheduler();
  scheduler.setTimesteps(20);
  const sample = { data: new Float32Array(4 * 64 * 64).fill(0.5), dims: [1, 4, 64, 64] };
  scheduler.step(sample, sample, scheduler.timesteps[0]);
`;

const IMPORT = `import { DDIMScheduler } from "ddim-wasm";`;
const REQUIRE = `const { DDIMScheduler } = require("ddim-wasm");`;

/** What runs: a programme without a clock for whole processes, and one that reads the engine's clock and prints. */
const PROGRAMS = {
  "empty.mjs": "",
  "empty.cjs": "",
  "step.mjs": `${IMPORT} ${STEP}`,
  "step.cjs": `${REQUIRE} ${STEP}`,
  "timed.mjs": `
    const start = performance.now();
    const { DDIMScheduler } = await import("ddim-wasm");
    ${STEP}
    console.log(performance.now() - start);`,
  "timed.cjs": `
    const start = performance.now();
    ${REQUIRE}
    ${STEP}
    console.log(performance.now() - start);`,
  "timed-page.js": `
    const start = performance.now();
    const { DDIMScheduler } = await import("./node_modules/ddim-wasm/build/index.js");
    ${STEP}
    document.title = performance.now() - start;`,
  "empty-worker.js": `export default { fetch: () => new Response("") };`,
  "step-worker.js": `
    ${IMPORT}
    export default {
      fetch(request) {
        if (new URL(request.url).pathname === "/step") { ${STEP} }
        return new Response("");
      },
    };`,
  "step-edge-function.js": `${IMPORT} ${STEP} export default () => new Response("");`,
  "step-portable.js": `import { DDIMScheduler } from "ddim-wasm/portable"; ${STEP}`,
};

const { runs: text } = parseArgs({ options: { runs: { type: "string", default: "20" } } }).values;
const runs = Number(text);
const folder = installPackage();
for (const [name, contents] of Object.entries(PROGRAMS)) writeFileSync(join(folder, name), contents);

/** Runs a programme in a process of its own: the milliseconds it takes, and what it prints. */
function runProcess({ file, args }, program) {
  const start = performance.now();
  const { status, stdout, stderr } = spawnSync(file, [...args, program], {
    cwd: folder,
    env: environment(folder),
    encoding: "utf8",
  });
  const elapsed = performance.now() - start;
  if (status !== 0) throw new Error(stderr);
  return { elapsed, printed: stdout };
}

/** Does everything in turn, and each time begins with the next one: what else the machine does then hits all alike. */
async function inTurn(actions) {
  for (let run = 0; run < runs; run++) {
    for (let i = 0; i < actions.length; i++) await actions[(run + i) % actions.length]();
  }
}

/** Inside the engine, and as whole processes in turn with empty ones. */
async function measureCommandLine(engine, extension) {
  if (!existsSync(engine.file)) return { skipped: `no ${engine.file}` };
  const programs = ["empty", "step", "timed"].map((name) => `${name}.${extension}`);
  for (const program of programs) runProcess(engine, program); // the files come from the disk's cache from here on
  const [empty, whole, inside] = [[], [], []];
  await inTurn([
    () => empty.push(runProcess(engine, programs[0]).elapsed),
    () => whole.push(runProcess(engine, programs[1]).elapsed),
    () => inside.push(Number(runProcess(engine, programs[2]).printed)),
  ]);
  return { version: await versionOf(engine.file), inside, empty, whole };
}

/** A Worker's clocks stand still while it computes: requests are timed from outside. */
async function measureWorkerd() {
  const reason = missing();
  if (reason !== null) return { skipped: reason };
  const { Miniflare } = await import("miniflare");
  const start = async (options) => {
    const times = [performance.now()];
    const worker = new Miniflare(options);
    // The first request, which computes nothing, opens the connection.
    for (const path of ["/", "/step", "/step"]) {
      await (await worker.dispatchFetch(`http://worker${path}`)).text();
      times.push(performance.now());
    }
    await worker.dispose();
    return times;
  };
  const emptyWorker = await bundleWorker(folder, "empty-worker.js");
  const stepWorker = await bundleWorker(folder, "step-worker.js");
  await start(emptyWorker);
  const [empty, whole, inside] = [[], [], []];
  await inTurn([
    async () => {
      const times = await start(emptyWorker);
      empty.push(times[2] - times[0]);
    },
    async () => {
      const times = await start(stepWorker);
      whole.push(times[2] - times[0]);
      inside.push(times[2] - times[1] - (times[3] - times[2]));
    },
  ]);
  return { version: workerdVersion, inside, empty, whole };
}

/** The function's script is evaluated in a new runtime; the module has been compiled before, as when it is deployed. */
async function measureEdgeRuntime() {
  const { script, compiledModule } = await bundleEdgeFunction(folder, "step-edge-function.js");
  const inside = [];
  for (let run = 0; run < runs; run++) {
    const edge = startEdgeRuntime(compiledModule);
    const start = performance.now();
    edge.evaluate(script);
    inside.push(performance.now() - start);
  }
  return { version: edgeVersion, inside };
}

/** The script is evaluated in a new context of one QuickJS. */
async function measureQuickjs() {
  const script = await bundle(folder, "step-portable.js", { format: "iife" });
  const quickjs = await getQuickJS();
  const inside = [];
  for (let run = 0; run < runs; run++) {
    const context = quickjs.newContext();
    const start = performance.now();
    context.unwrapResult(context.evalCode(script)).dispose();
    inside.push(performance.now() - start);
    context.dispose();
  }
  return { version: quickjsVersion, inside };
}

/** A browser is started anew for each page, so that it has compiled nothing before. */
async function measureBrowser(browser) {
  if (!existsSync(browser.file)) return { skipped: `no ${browser.file}` };
  const inside = [];
  let version = "";
  for (let run = 0; run < BROWSER_RUNS; run++) {
    const visited = await visit(browser, folder, "timed-page.js", WASM, true);
    inside.push(Number(visited.answer));
    version = visited.version;
  }
  return { version, inside };
}

const MEASUREMENTS = [
  ["Node, import", () => measureCommandLine(NODE, "mjs")],
  ["Node, require", () => measureCommandLine(NODE, "cjs")],
  ["Node, newer, import", () => measureCommandLine(NEWER_NODE, "mjs")],
  ["Node, newer, require", () => measureCommandLine(NEWER_NODE, "cjs")],
  ["Deno", () => measureCommandLine(DENO, "mjs")],
  ["Bun", () => measureCommandLine(BUN, "mjs")],
  ["workerd", measureWorkerd],
  ["Edge Runtime", measureEdgeRuntime],
  ["QuickJS, portable", measureQuickjs],
  ...BROWSERS.map((browser) => [browser.name, () => measureBrowser(browser)]),
];

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.ceil(middle) - 1] + sorted[Math.floor(middle)]) / 2;
}

/** The median, and the minimum in brackets. */
function summarise(values, base) {
  if (values === undefined) return "";
  const [emptyMedian, emptyMinimum] = base === undefined ? [0, 0] : [median(base), Math.min(...base)];
  return `${(median(values) - emptyMedian).toFixed(1)} (${(Math.min(...values) - emptyMinimum).toFixed(1)})`;
}

function printRow(...cells) {
  const widths = [22, 16, 16, 24, 16];
  console.log(
    cells
      .map((cell, i) => cell.padEnd(widths[i]))
      .join(" ")
      .trimEnd(),
  );
}

console.log(
  `${cpus()[0]?.model.trim() ?? "unknown processor"}, ${cpus().length} cores, load ${loadavg()[0].toFixed(1)}, ${type()} ${release()}`,
);
console.log(
  `milliseconds, the median (the minimum) of ${runs} processes, ${BROWSER_RUNS} of a browser\n` +
    "inside: from the import to the first step done, by the engine's clock\n" +
    "  workerd: the first request with a step less the second, from outside: the import is over by then\n" +
    "  Edge Runtime, QuickJS: the evaluation of the bundle, from outside, in a new context of one process\n" +
    "  browsers: with the fetch from this machine\n" +
    "whole process: one that imports and steps, less an empty one; of workerd up to the first answer\n",
);
printRow("engine", "version", "inside", "whole less empty", "empty process");
for (const [name, measure] of MEASUREMENTS) {
  const result = await measure().catch((error) => ({ skipped: `failed: ${error.message}` }));
  const { version = "", inside, empty, whole, skipped } = result;
  if (skipped !== undefined) printRow(name, "", `skipped: ${skipped}`);
  else printRow(name, version, summarise(inside), summarise(whole, empty), summarise(empty));
}
process.exit();
