// The programme under each way of resolving modules, with the declarations checked, too (skipLibCheck is false), and what
// TypeScript makes of it run by Node.

import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run, runCommand } from "../tools.js";

const folder = import.meta.dirname;
const COMPILERS = ["typescript-5.0", "typescript-5.4", "typescript", "typescript-7"];

/** The compiler's options, the extension of the sources, and that of what is made. */
const MODES = [
  [{ module: "nodenext", moduleResolution: "nodenext" }, "mts", "mjs"],
  [{ module: "nodenext", moduleResolution: "nodenext" }, "cts", "cjs"],
  [{ module: "node16", moduleResolution: "node16" }, "mts", "mjs"],
  [{ module: "node16", moduleResolution: "node16" }, "cts", "cjs"],
  [{ module: "esnext", moduleResolution: "bundler" }, "mts", "mjs"],
];

async function compile(compiler, index) {
  const [mode, source, made] = MODES[index];
  const target = join(folder, "build", `${compiler}-${index}`);
  mkdirSync(target, { recursive: true });
  const files = ["main", "mistake"].map((name) => `${name}.${source}`);
  for (const file of files) cpSync(join(folder, file.replace(source, "ts")), join(target, file));
  const compilerOptions = {
    ...mode,
    target: "es2022",
    lib: ["es2022"],
    types: [],
    strict: true,
    skipLibCheck: false,
  };
  writeFileSync(join(target, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
  await runCommand(target, compiler, [], { command: "tsc" });
  return run(target, process.execPath, [`main.${made}`]);
}

export default COMPILERS.map((compiler) => ({
  name: `TypeScript: nodenext, node16, bundler; ES modules and CommonJS`,
  packages: [compiler],
  run: async () => {
    const outputs = [];
    for (const index of MODES.keys()) outputs.push(await compile(compiler, index));
    return { output: outputs.join(""), steps: MODES.length };
  },
}));
