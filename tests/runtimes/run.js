// Packs the library, installs the package as its users do, and has every engine compute the same digest from it, and run a
// programme as users write them, whose sample is the same everywhere, too.
//
//     node run.js              all engines; one that this machine lacks is skipped, with its reason
//     node run.js --npm        those that come from the npm registry
//     node run.js --browsers   the browsers
//
// With CI set a missing engine is a failure.

import { installPackage } from "./install.js";
import { commandLineEngines } from "./engines/command-line.js";
import { edgeLightEngines } from "./engines/edge-light.js";
import { quickjsEngines } from "./engines/quickjs.js";
import { workerdEngines } from "./engines/workerd.js";

const only = process.argv[2];
const folder = installPackage();
const engines = [];
if (only !== "--browsers")
  engines.push(
    ...commandLineEngines(folder),
    ...workerdEngines(folder),
    ...edgeLightEngines(folder),
    ...quickjsEngines(folder),
  );
if (only !== "--npm") {
  // Loaded only here: the drivers of browsers have binaries of their own, which the other engines do not need.
  const { browserEngines } = await import("./engines/browsers.js");
  engines.push(...browserEngines(folder));
}

/** What the programmes answer: the digest, or the shape and the first values of a sample. */
const DIGEST = /^[0-9a-f]{64}$/;
const SAMPLE = /^1,4,8,8: -?0\.\d+,-?0\.\d+,-?0\.\d+$/;

const digests = new Set();
const samples = new Set();
let answers = 0;
let failures = 0;
let skips = 0;
for (const { name, run } of engines) {
  const start = performance.now();
  const { version, answer, skipped } = await run().catch((error) => ({
    version: "",
    answer: `failed: ${error.message}`,
  }));
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  if (skipped !== undefined) {
    skips++;
    if (process.env.CI) failures++;
  } else {
    answers++;
    if (DIGEST.test(answer)) digests.add(answer);
    else if (SAMPLE.test(answer)) samples.add(answer);
    else failures++;
  }
  const text = skipped === undefined ? answer : `skipped: ${skipped}`;
  console.log(`${name.padEnd(48)} ${version.padEnd(18)} ${text} ${seconds} s`);
}

const passed = digests.size === 1 && samples.size === 1 && failures === 0;
console.log(
  `${digests.size} digest and ${samples.size} sample from ${answers} programmes, ${skips} skipped, ${failures} failures`,
);
process.exit(passed ? 0 : 1);
