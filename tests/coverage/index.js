// Runs the tests and prints the lines of src/ that none of them reaches: `npm run coverage`, or with a pattern after
// `--` those that the tests matching it do not.

import { spawnSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { CoverageReport } from "monocart-coverage-reports";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const [pattern = ""] = process.argv.slice(2);
const data = join(root, "build/coverage");
rmSync(data, { recursive: true, force: true });

// Processes that tests start are counted too. Coverage keeps the engine from forgetting code: memory is not for now.
const { status } = spawnSync(process.execPath, [join(root, "scripts/test.js"), pattern || "^(?!memory$)"], {
  cwd: root,
  stdio: "inherit",
  env: { ...process.env, NODE_V8_COVERAGE: data },
});

const report = new CoverageReport({
  outputDir: join(root, "build/coverage-report"),
  reports: ["console-details"],
  logging: "error",
  // The built package and what is bundled with tests, whose sources are told; and the portable build's module, which is
  // all of assembly/ but for SIMD, as JavaScript: its lines are those of build/core-scalar.js.
  entryFilter: ({ url }) => /\/build\/(index|portable|core-scalar|tests\/.*(test|chunk-\w+))\.js/.test(url),
  sourceFilter: (path) => /(^|\/)src\//.test(path),
  sourcePath: (path) => path.replace(/^.*?(?=src\/)/, ""),
});
await report.addFromDir(data);
const { files } = await report.generate();
const loaded = new Set(files.map(({ sourcePath }) => sourcePath));
const missing = readdirSync(join(root, "src"), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
  .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll("\\", "/"))
  .filter((path) => !loaded.has(path));
console.log(`not loaded, for want of code or in other runtimes: ${missing.join(", ")}`);
process.exitCode = status ?? 1;
