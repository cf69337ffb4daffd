// Loaded into each process of the tests: writes down which mutants' code it reached, for the test file it belongs to.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { isMainThread, threadId } from "node:worker_threads";

/** Where StrykerJS's switches keep what they know. */
const NAMESPACE = "__stryker__";

const file = /build[\\/]tests[\\/](.+)\.test\.js$/.exec(process.argv[1] ?? "")?.[1];
// A test's own child processes and workers inherit its name.
if (isMainThread && file !== undefined) process.env.MUTATION_TEST_FILE = file.replaceAll("\\", "/");

process.on("exit", () => {
  const reached = Object.keys(globalThis[NAMESPACE]?.mutantCoverage?.static ?? {});
  const { MUTATION_TEST_FILE: test, MUTATION_COVERAGE: folder } = process.env;
  if (test === undefined || folder === undefined || reached.length === 0) return;
  writeFileSync(join(folder, `${process.pid}-${threadId}.json`), JSON.stringify({ test, reached }));
});
