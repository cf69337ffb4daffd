// Compiles tests/**/*.test.ts to build/tests/ and runs each in a process of its own, some at a time. Those in
// tests/sources/ import the sources, the others the built package by its name.
//
//     npm run test:api                 all but tests/long/, whose tests take long or much memory: npm run test:long
//     npm run test:api -- golden       those whose path matches a pattern; with long/ in front those in tests/long/
//     npm run test:quick               without those that are listed below

import { spawn } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { compileTests } from "./compile-tests.js";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Files that take seconds; they start first. */
const SLOW = [
  "memory",
  "resident",
  "properties/steps",
  "properties/schedules",
  "fuzz",
  "properties/runs",
  "random",
  "small-heap",
  "gaussian",
  "simd-scalar",
  "oracle-steps",
];

/** Files that look at the declarations or the minified file, which `npm run dev` and `npm run test:quick` do not make. */
const OF_PACKAGE = ["doc-examples", "docs", "readme", "public-types", "sizes"];

/** Each may take a few gigabytes for a moment. */
const PROCESSES = Math.min(availableParallelism(), 4);

const isQuick = process.argv[2] === "--quick";
const pattern = isQuick ? "" : (process.argv[2] ?? "");

/** The names of the files to run, without their endings. */
function listTests() {
  const all = readdirSync(join(root, "tests"), { recursive: true })
    .map((name) => name.replaceAll("\\", "/"))
    .filter((name) => name.endsWith(".test.ts") && !name.includes("node_modules/") && !name.startsWith("consumers/"))
    .map((name) => name.slice(0, -".test.ts".length));
  const isLong = pattern.startsWith("long/");
  const chosen = all.filter((name) => name.startsWith("long/") === isLong && new RegExp(pattern).test(name));
  const rest = chosen.filter((name) => !SLOW.includes(name));
  if (isQuick) return rest.filter((name) => !OF_PACKAGE.includes(name));
  return [...SLOW.filter((name) => chosen.includes(name)), ...rest];
}

/** Runs a file; the exit code of its process and what that printed. */
function run(name) {
  const file = `build/tests/${name}.test.js`;
  const child = spawn(process.execPath, ["--enable-source-maps", "--expose-gc", file], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (output += text));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, output: stripVTControlCharacters(output) }));
  });
}

/** What a file printed beside uvu's dots and counts, such as why a test was skipped. */
function remarks(output) {
  return output
    .split("\n")
    .map((line) => line.replace(/^[•✘\s]+/, ""))
    .filter((line) => line !== "" && !/^(\(\d+ \/ \d+\)|(Total|Passed|Skipped|Duration): +[\d.]+(ms)?)$/.test(line));
}

const names = listTests();
if (names.length === 0) throw new Error(`no test's path matches "${pattern}"`);
rmSync(join(root, "build/tests"), { recursive: true, force: true });
await compileTests(
  names.map((name) => `tests/${name}.test.ts`),
  "build/tests",
);

const start = performance.now();
let passed = 0;
const failed = [];

/** Runs files until none is left. */
async function work(queue) {
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    const begin = performance.now();
    const { code, output } = await run(name);
    const seconds = ((performance.now() - begin) / 1000).toFixed(1);
    const [, total, right] = /^ *Total: +(\d+)\n *Passed: +(\d+)$/m.exec(output) ?? [];
    passed += Number(right ?? 0);
    // A file that forgets test.run() ends well and counts nothing.
    const isFine = code === 0 && total !== undefined && Number(total) > 0;
    if (!isFine) failed.push(name);
    console.log(`${isFine ? "passed" : "FAILED"} ${`${right ?? 0} of ${total ?? 0}`.padEnd(12)} ${name}, ${seconds} s`);
    if (!isFine) console.log(output);
    else for (const line of remarks(output)) console.log(`    ${line}`);
  }
}

const queue = [...names];
await Promise.all(Array.from({ length: PROCESSES }, () => work(queue)));
const seconds = ((performance.now() - start) / 1000).toFixed(1);
console.log(`${passed} tests passed in ${names.length} files, ${seconds} s`);
if (failed.length > 0) {
  console.log(`failed: ${failed.join(", ")}`);
  process.exitCode = 1;
}
