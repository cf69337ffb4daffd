// What takes minutes, one after another: `npm run test:long`. It ends with the first that fails.

import { spawnSync } from "node:child_process";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
/** Another one in each run, but for CI: there, whether a change passes is no matter of chance. */
const SEED = process.env.CI ? "1" : String(Math.floor(Math.random() * 2 ** 31));
const { FAST_CHECK_SEED = SEED, FAST_CHECK_TIMES = "15" } = process.env;

/** As many rounds on a slow machine as on a fast one: whether a seed passes is no matter of speed. */
const fuzz = (build, rounds) =>
  `scripts/run-test-program.js fuzz/main --build ${build} --rounds ${rounds} --seed ${SEED}`.split(" ");

/** What is run, each by Node. */
const PARTS = {
  "every float32 as a half": ["tests/exhaustive-binary16.js"],
  "tests/long/": ["scripts/test.js", "long/"],
  [`properties, ${FAST_CHECK_TIMES} times as many, from seed ${FAST_CHECK_SEED}`]: ["scripts/test.js", "^properties/"],
  "calls of any kind": fuzz("simd", 4000),
  "calls of any kind, scalar": fuzz("scalar", 2000),
  "calls of any kind, portable": fuzz("portable", 1500),
  soak: ["scripts/run-test-program.js", "soak/main"],
};

for (const [name, args] of Object.entries(PARTS)) {
  console.log(`\n${name}`);
  const start = performance.now();
  const { status } = spawnSync(process.execPath, args, {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, FAST_CHECK_SEED, FAST_CHECK_TIMES },
  });
  console.log(`${name}: ${status === 0 ? "passed" : "FAILED"}, ${((performance.now() - start) / 1000).toFixed(0)} s`);
  if (status !== 0) {
    process.exitCode = 1;
    break;
  }
}
