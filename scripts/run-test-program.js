// Compiles a program of tests/ and runs it with the arguments that follow: `node scripts/run-test-program.js fuzz/main`.

import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { compileTests } from "./compile-tests.js";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [program, ...args] = process.argv.slice(2);

// A folder of its own: `npm run test:api` clears build/tests/.
const outdir = `build/programs/${program}`;
await compileTests([`tests/${program}.ts`], outdir);
const file = join(root, outdir, `${program}.js`);
const { status } = spawnSync(process.execPath, ["--enable-source-maps", "--expose-gc", file, ...args], {
  cwd: root,
  stdio: "inherit",
});
process.exitCode = status ?? 1;
