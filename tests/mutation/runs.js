// Two ways to try mutants: those of src/ all stand in one build, behind switches; for each of assembly/ the module is
// compiled anew.

import { readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { copyRepository, findFailure, runAllTests, runNode } from "./copies.js";
import { applyMutant, listMutants } from "./mutants.js";

/**
 * @typedef {import("./mutants.js").Mutant} Mutant
 * @typedef {object} Run
 * @property {Mutant[]} mutants all there are
 * @property {(mutant: Mutant) => Promise<Outcome>} notice
 * @typedef {object} Outcome
 * @property {"killed" | "survived" | "invalid" | "unchanged"} verdict "invalid": it does not compile; "unchanged": the
 *   compiled module is the same
 * @property {string} [by] the test that noticed
 */

/** @returns {Promise<Run>} */
export async function prepareSources() {
  const copy = copyRepository();
  const { mutants, files } = await listMutants(copy, "src");
  for (const { name, content } of files) writeFileSync(join(copy, name), content);
  await build(copy);
  const tests = await runAllTests(copy);
  return {
    mutants,
    async notice({ id, file }) {
      const reaching = tests.filter(({ reached }) => reached.has(id));
      const own = reaching.filter(({ name }) => basename(name) === basename(file, ".ts"));
      const order = [...new Set([...own, ...reaching])];
      const failed = await findFailure(copy, order, { __STRYKER_ACTIVE_MUTANT__: id });
      return { verdict: failed === undefined ? "survived" : "killed", by: failed };
    },
  };
}

/** @returns {Promise<Run>} */
export async function prepareAssembly() {
  const copy = copyRepository();
  const { mutants } = await listMutants(copy, "assembly");
  const original = readModules(copy);
  const tests = await runAllTests(copy);
  // The others hold the module that they were compiled with.
  const ofPackage = tests.filter(({ name }) => !name.startsWith("sources/"));
  return {
    mutants,
    async notice(mutant) {
      const path = join(copy, mutant.file);
      const code = readFileSync(path, "utf8");
      writeFileSync(path, applyMutant(code, mutant));
      try {
        if (!(await build(copy))) return { verdict: "invalid" };
        if (readModules(copy).equals(original)) return { verdict: "unchanged" };
        const failed = await findFailure(copy, ofPackage);
        if (failed !== undefined) return { verdict: "killed", by: failed };
        for (const args of [["node_modules/@as-pect/cli/bin/asp.js"], ["scripts/test.js", "sources/"]]) {
          const { code } = await runNode(copy, args, { timeout: 120_000 });
          if (code !== 0) return { verdict: "killed", by: args.join(" ") };
        }
        return { verdict: "survived" };
      } finally {
        writeFileSync(path, code);
      }
    },
  };
}

function readModules(copy) {
  return Buffer.concat(["core.wasm", "core.scalar.wasm"].map((name) => readFileSync(join(copy, "build", name))));
}

/** @returns {Promise<boolean>} whether it compiles */
async function build(copy) {
  const { code } = await runNode(copy, ["scripts/build.js", "--changed"], { timeout: 120_000 });
  return code === 0;
}
