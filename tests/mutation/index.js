// Changes the code in small ways and sees whether a test notices:
//
//     npm run mutation                                  300 mutants, in all files
//     npm run mutation -- --count 50 --seed 7           other ones
//     npm run mutation -- --only src/schedule           those of some files

import { parseArgs } from "node:util";
import { chooseMutants } from "./mutants.js";
import { prepareAssembly, prepareSources } from "./runs.js";

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "300" },
    seed: { type: "string", default: "1" },
    only: { type: "string", default: "" },
  },
});
const outcomes = [];

const describe = ({ file, start, mutator, replacement }) =>
  `${file}:${start.line + 1}:${start.column + 1} ${mutator} -> ${replacement.replaceAll(/\s+/g, " ").slice(0, 80)}`;

/** Tries the mutants one after another, with a line for each. */
async function tryAll({ notice }, chosen) {
  for (const mutant of chosen) {
    const { verdict, by } = await notice(mutant);
    outcomes.push({ mutant, verdict });
    console.log(`${verdict.padEnd(9)} ${describe(mutant)}${by ? ` | ${by}` : ""}`);
  }
}

// Side by side: each tries one mutant at a time.
const runs = await Promise.all([prepareSources(), prepareAssembly()]);
const all = runs.flatMap(({ mutants }) => mutants).filter(({ file }) => file.startsWith(values.only));
const chosen = chooseMutants(all, Number(values.count), Number(values.seed));
console.log(`${chosen.length} of ${all.length} mutants`);
await Promise.all(
  runs.map((run) =>
    tryAll(
      run,
      chosen.filter((mutant) => run.mutants.includes(mutant)),
    ),
  ),
);

const count = (verdict) => outcomes.filter((outcome) => outcome.verdict === verdict).length;
const tried = count("killed") + count("survived");
console.log(`\n${count("invalid")} do not compile, ${count("unchanged")} leave the module as it is`);
console.log(`${count("killed")} of ${tried} killed: ${((100 * count("killed")) / tried).toFixed(1)} %`);
for (const { mutant } of outcomes.filter(({ verdict }) => verdict === "survived")) console.log(describe(mutant));
