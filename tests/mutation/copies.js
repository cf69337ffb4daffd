// Copies of the repository that may be changed, and the tests in them.

import { execFileSync, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** A process has this long, and several times what it takes without a mutant. */
const PATIENCE = 30_000;

/** Tests that look at the code's text or size, and those that take minutes with the switches in the code. */
const LEFT_OUT = ["doc-examples", "docs.*", "memory", "properties/.*", "public-types", "readme", "sizes", "test-files"];

/** What runs: a test that a mutant keeps from ending would go on after this process. */
const running = new Set();
process.on("exit", () => running.forEach(stop));
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));

/** Ends a process and those it has started, which may be the ones that do not end. */
function stop({ pid }) {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended meanwhile.
  }
}

/** A new folder with the files of the repository as they stand, and its build. */
export function copyRepository() {
  const copy = mkdtempSync(join(tmpdir(), "ddim-wasm-mutation-"));
  process.on("exit", () => rmSync(copy, { recursive: true, force: true }));
  const files = execFileSync("git", ["ls-files", "-co", "--exclude-standard", "-z"], { cwd: root, encoding: "utf8" });
  for (const file of files.split("\0")) {
    if (file !== "" && existsSync(join(root, file))) cpSync(join(root, file), join(copy, file));
  }
  cpSync(join(root, "build"), join(copy, "build"), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  return copy;
}

/**
 * Runs a program in a copy.
 *
 * @param {string} copy
 * @param {string[]} args of node
 * @param {{ env?: Record<string, string>, timeout?: number }} [options] `timeout` in milliseconds
 * @returns {Promise<{ code: number | null, output: string }>} the code is null for a process that was stopped
 */
export function runNode(copy, args, { env = {}, timeout } = {}) {
  const child = spawn(process.execPath, args, {
    cwd: copy,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true, // in a group of its own
  });
  running.add(child);
  const timer = timeout === undefined ? undefined : setTimeout(stop, timeout, child);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (output += text));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      clearTimeout(timer);
      running.delete(child);
      resolve({ code, output: stripVTControlCharacters(output) });
    });
  });
}

/**
 * Compiles the tests and runs them once.
 *
 * @returns {Promise<Test[]>} the fastest first
 * @typedef {{ name: string, seconds: number, reached: Set<string> }} Test `reached`: the ids of mutants in switches
 */
export async function runAllTests(copy) {
  const coverage = join(copy, "build", "coverage");
  mkdirSync(coverage);
  const { output } = await runNode(copy, ["scripts/test.js", `^(?!(${LEFT_OUT.join("|")})$)(?!long/)`], {
    env: {
      MUTATION_COVERAGE: coverage,
      NODE_OPTIONS: `--import ${new URL("./coverage.js", import.meta.url)}`,
    },
  });
  const tests = [];
  for (const [line, outcome, name, seconds] of output.matchAll(/^(passed|FAILED) .+ (\S+), ([\d.]+) s$/gm)) {
    if (outcome === "passed") tests.push({ name, seconds: Number(seconds), reached: new Set() });
    else throw new Error(`fails without a mutant: ${line}\n${output}`);
  }
  for (const file of readdirSync(coverage)) {
    const { test, reached } = JSON.parse(readFileSync(join(coverage, file), "utf8"));
    const found = tests.find(({ name }) => name === test);
    for (const id of reached) found?.reached.add(id);
  }
  return tests.toSorted((a, b) => a.seconds - b.seconds);
}

/** Runs compiled test files one after another. @returns the first that fails, or undefined */
export async function findFailure(copy, tests, env = {}) {
  for (const { name, seconds } of tests) {
    const { code } = await runNode(copy, ["--expose-gc", `build/tests/${name}.test.js`], {
      env,
      timeout: PATIENCE + 5000 * seconds,
    });
    if (code !== 0) return code === null ? `${name} (stopped)` : name;
  }
  return undefined;
}
