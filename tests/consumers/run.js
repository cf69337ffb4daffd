// Packs the library, unpacks the package where its users' tools find it, and has each of them make the same step.
//
//     node run.js             all of them
//     node run.js next jest   those in the folders next and jest
//
// What cannot run here is listed with the reason; with CI set it is a failure.

import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { closeBrowser } from "./pages.js";
import { deviation, readAnswers } from "./step.js";
import { Impossible, unpackLibrary, versionOf } from "./tools.js";

const only = process.argv.slice(2);
const folders = readdirSync(import.meta.dirname)
  .filter((name) => existsSync(join(import.meta.dirname, name, "consumer.js")))
  .filter((name) => only.length === 0 || only.includes(name));

unpackLibrary();
const counts = { passed: 0, failed: 0, impossible: 0 };
let largest = { bytes: 0, name: "" };
for (const folder of folders) {
  rmSync(join(import.meta.dirname, folder, "build"), { recursive: true, force: true });
  const { default: consumers } = await import(`./${folder}/consumer.js`);
  for (const { name, packages, run } of consumers) {
    const start = performance.now();
    const [outcome, text] = await attempt(name, run);
    counts[outcome]++;
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    const versions = packages.map((item) => `${item} ${versionOf(item)}`).join(", ");
    console.log(
      `${outcome.padEnd(10)} ${name}${versions && ` (${versions})`} ${seconds} s${text === "" ? "" : `: ${text}`}`,
    );
  }
}
await closeBrowser();

if (largest.bytes > 0) console.log(`The largest bundle, after gzip: ${largest.bytes} bytes, ${largest.name}`);
const impossible = counts.impossible > 0 ? `, ${counts.impossible} not possible here` : "";
console.log(`${counts.passed} passed, ${counts.failed} failed${impossible}`);
process.exitCode = counts.failed > 0 || counts.passed === 0 || (process.env.CI && counts.impossible > 0) ? 1 : 0;

/** Runs a consumer, whose output holds the step's result as often as it makes the step. */
async function attempt(name, run) {
  try {
    const { output, steps = 1, bundle = 0 } = await run();
    const answers = readAnswers(output);
    if (answers.length !== steps) throw new Error(`${answers.length} answers instead of ${steps} in:\n${output}`);
    for (const answer of answers) {
      if (deviation(answer) > 1e-6) throw new Error(`a wrong answer: ${answer}`);
    }
    if (bundle > largest.bytes) largest = { bytes: bundle, name };
    return ["passed", bundle > 0 ? `${bundle} bytes` : ""];
  } catch (error) {
    return error instanceof Impossible ? ["impossible", error.message] : ["failed", error.stack];
  }
}
