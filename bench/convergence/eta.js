// npm run convergence:eta -- [--svg FILE]

import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Piscina } from "piscina";
import { ETA_CALLS, ETAS, SAMPLES } from "./known-data.js";
import { plotEta } from "./plot.js";

const pathOf = (name) => fileURLToPath(new URL(name, import.meta.url));

const { values: options } = parseArgs({
  options: { svg: { type: "string", default: pathOf("../../docs/images/eta.svg") } },
});

const pool = new Piscina({ filename: pathOf("known-data.js"), maxThreads: 2 });
const results = await Promise.all(
  ETAS.flatMap((eta) => ETA_CALLS.map(async (calls) => ({ eta, calls, distance: await pool.run({ eta, calls }) }))),
);
await pool.close();

const title = [
  "Distance of DDIM's samples to the data, with a perfect model:",
  `Wasserstein distance of ${SAMPLES.toLocaleString("en")} samples to three narrow normal distributions`,
];
console.log(title.join(" "));
console.log(`\n${"model calls".padEnd(12)}${ETA_CALLS.map((calls) => String(calls).padStart(8)).join("")}`);
for (const eta of ETAS) {
  const row = results.filter((result) => result.eta === eta);
  console.log(`${`eta ${eta}`.padEnd(12)}${row.map(({ distance }) => distance.toFixed(4).padStart(8)).join("")}`);
}

const svg = resolve(options.svg);
writeFileSync(svg, await plotEta(results, title));
console.log(`\n${Math.round(performance.now() / 1000)} s; written to ${svg}`);
