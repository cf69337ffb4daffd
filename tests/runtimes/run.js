// Packs the library, installs the package as its users do, and has every engine compute the same digest from it.
//
//     node run.js              all engines; one that this machine lacks is skipped, with its reason
//     node run.js --npm        those that come from the npm registry
//     node run.js --browsers   the browsers
//
// With CI set a missing engine is a failure.

import { installPackage } from "./install.js";
import { commandLineEngines } from "./engines/command-line.js";
import { edgeLightEngine } from "./engines/edge-light.js";
import { quickjsEngine } from "./engines/quickjs.js";
import { workerdEngines } from "./engines/workerd.js";

const only = process.argv[2];
const folder = installPackage();
const engines = [];
if (only !== "--browsers")
  engines.push(
    ...commandLineEngines(folder),
    ...workerdEngines(folder),
    edgeLightEngine(folder),
    quickjsEngine(folder),
  );
if (only !== "--npm") {
  // Loaded only here: the drivers of browsers have binaries of their own, which the other engines do not need.
  const { browserEngines } = await import("./engines/browsers.js");
  engines.push(...browserEngines(folder));
}

const digests = new Map();
let failures = 0;
let skips = 0;
for (const { name, run } of engines) {
  const start = performance.now();
  const { version, digest, skipped } = await run().catch((error) => ({
    version: "",
    digest: `failed: ${error.message}`,
  }));
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const missing = skipped !== undefined;
  if (missing ? process.env.CI : !/^[0-9a-f]{64}$/.test(digest)) failures++;
  if (missing) skips++;
  else digests.set(digest, (digests.get(digest) ?? 0) + 1);
  console.log(`${name.padEnd(48)} ${version.padEnd(18)} ${missing ? `skipped: ${skipped}` : digest} ${seconds} s`);
}

const passed = digests.size === 1 && failures === 0;
console.log(
  passed
    ? `one digest in ${[...digests.values()][0]} engines, ${skips} skipped`
    : `${digests.size} digests, ${failures} failures`,
);
process.exit(passed ? 0 : 1);
