// npm run convergence -- [--json FILE] [--svg FILE]

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Piscina } from "piscina";
import { GUIDANCE, MODEL, PICTURES } from "./digits.js";
import { plotDistances } from "./plot.js";
import { CALLS, CLIPPINGS, CONVERGED_CALLS, SAMPLERS } from "./samplers.js";

const pathOf = (name) => fileURLToPath(new URL(name, import.meta.url));

const { values: options } = parseArgs({
  options: {
    json: { type: "string", default: pathOf("results.json") },
    svg: { type: "string", default: pathOf("../../docs/images/convergence.svg") },
  },
});

const pool = new Piscina({ filename: pathOf("draw.js"), maxThreads: 2 });

/** Draws all pictures. */
const draw = (sampler, clipping, calls) => pool.run({ sampler, clipping, calls });

/** The converged pictures. They take a thousand calls, and are kept in a file for as long as the model is the same. */
async function drawConverged(clipping) {
  const key = createHash("sha256")
    .update(readFileSync(MODEL))
    .update(JSON.stringify([CLIPPINGS[clipping], CONVERGED_CALLS, GUIDANCE, PICTURES]))
    .digest("hex");
  const file = pathOf(`converged/${key}.f32`);
  if (!existsSync(file)) {
    const pixels = await draw("DDIM, leading", clipping, CONVERGED_CALLS);
    mkdirSync(pathOf("converged"), { recursive: true });
    writeFileSync(file, pixels);
  }
  return new Float32Array(Uint8Array.from(readFileSync(file)).buffer);
}

/** The root mean square over all pixels of all pictures. */
function distanceBetween(a, b) {
  return Math.sqrt(a.reduce((sum, value, i) => sum + (value - b[i]) ** 2, 0) / a.length);
}

const clippings = Object.keys(CLIPPINGS);
const converged = Object.fromEntries(
  await Promise.all(clippings.map(async (clipping) => [clipping, await drawConverged(clipping)])),
);
const results = await Promise.all(
  clippings.flatMap((clipping) =>
    SAMPLERS.flatMap((sampler) =>
      CALLS.map(async (calls) => {
        const pixels = await draw(sampler, clipping, calls);
        return { clipping, sampler, calls, distance: distanceBetween(pixels, converged[clipping]) };
      }),
    ),
  ),
);
await pool.close();

const title = [
  `Distance to the picture of ${CONVERGED_CALLS} DDIM steps:`,
  `root mean square of ${PICTURES.length} digits' pixels in [-1, 1], guidance ${GUIDANCE}`,
];
console.log(title.join(" "));
for (const clipping of clippings) {
  console.log(`\n${`${clipping}, model calls`.padEnd(26)}${CALLS.map((calls) => String(calls).padStart(7)).join("")}`);
  for (const sampler of SAMPLERS) {
    const row = results.filter((result) => result.clipping === clipping && result.sampler === sampler);
    console.log(`${sampler.padEnd(26)}${row.map(({ distance }) => distance.toFixed(3).padStart(7)).join("")}`);
  }
}

const settings = { convergedCalls: CONVERGED_CALLS, guidance: GUIDANCE, pictures: PICTURES, clippings: CLIPPINGS };
const [json, svg] = [options.json, options.svg].map((path) => resolve(path));
writeFileSync(json, `${JSON.stringify({ settings, results }, null, 2)}\n`);
writeFileSync(svg, await plotDistances(results, title));
console.log(`\n${Math.round(performance.now() / 1000)} s; written to ${json} and ${svg}`);
