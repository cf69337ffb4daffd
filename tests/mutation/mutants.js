// What is changed: StrykerJS lists the small changes of every source, such as `<=` for `<`, and puts those of src/ into
// the code behind switches, so that one build holds them all.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInstrumenter } from "@stryker-mutator/instrumenter";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { createInjector } from "typed-inject";

/**
 * @typedef {object} Mutant
 * @property {string} id
 * @property {string} file from the root of the repository
 * @property {string} mutator the kind of change
 * @property {string} replacement
 * @property {{ line: number, column: number }} start counted from 0
 * @property {{ line: number, column: number }} end
 */

const SILENT = Object.fromEntries(
  ["trace", "debug", "info", "warn", "error", "fatal"].flatMap((level) => [
    [level, () => {}],
    [`is${level[0].toUpperCase()}${level.slice(1)}Enabled`, () => false],
  ]),
);
const instrumenter = createInjector().provideValue("logger", SILENT).injectFunction(createInstrumenter);

/** What only tests/runtimes runs, on the engines that it is made for. */
const ELSEWHERE = ["src/platform/edge-light.ts", "src/platform/portable.ts", "src/platform/workerd.ts"];

/** AssemblyScript has decorators on functions, TypeScript has not. Columns stay as they are. */
const parsable = (code) => code.replaceAll(/^@\w+/gm, (decorator) => " ".repeat(decorator.length));

/**
 * The mutants of a folder, and its files with all of them behind switches: the environment variable
 * __STRYKER_ACTIVE_MUTANT__ turns one of them on.
 *
 * @param {string} root of the repository
 * @param {string} folder in it
 */
export async function listMutants(root, folder) {
  const names = readdirSync(join(root, folder), { recursive: true })
    .map((name) => `${folder}/${name.replaceAll("\\", "/")}`)
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".d.ts") && !ELSEWHERE.includes(name))
    .toSorted();
  const files = names.map((name) => ({
    name,
    mutate: true,
    content: parsable(readFileSync(join(root, name), "utf8")),
  }));
  const result = await instrumenter.instrument(files, { plugins: null, excludedMutations: [], ignorers: [] });
  const mutants = result.mutants.map(({ id, fileName, mutatorName, replacement, location }) => ({
    id,
    file: fileName,
    mutator: mutatorName,
    replacement,
    ...location,
  }));
  return { mutants, files: result.files };
}

/** The code of a file with one mutant in it. */
export function applyMutant(code, { start, end, replacement }) {
  const lines = code.split("\n");
  const offset = ({ line, column }) => lines.slice(0, line).reduce((sum, text) => sum + text.length + 1, column);
  return code.slice(0, offset(start)) + replacement + code.slice(offset(end));
}

/** A random choice of `count` mutants or a little more: of each file its share, and at least 3. */
export function chooseMutants(mutants, count, seed) {
  const generator = xoroshiro128plus(seed);
  return [...new Set(mutants.map(({ file }) => file))].flatMap((file) => {
    const rest = mutants.filter((mutant) => mutant.file === file);
    const share = Math.min(rest.length, Math.max(3, Math.round((count * rest.length) / mutants.length)));
    return Array.from({ length: share }, () => rest.splice(uniformInt(generator, 0, rest.length - 1), 1)).flat();
  });
}
