// The table in tests/README.md: every file of src/ has tests, and these are there.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";

const root = new URL("../../", import.meta.url);
const rows = Array.from(
  readFileSync(new URL("tests/README.md", root), "utf8").matchAll(/^\| (\S+\.ts) +\| (.+?) +\|$/gm),
  ([, file, tests]) => ({ file: file!, tests: tests! }),
);

function list(folder: string, ending: string): string[] {
  const names = readdirSync(new URL(folder, root), { recursive: true }) as string[];
  return names
    .map((name) => name.replaceAll("\\", "/"))
    .filter((name) => name.endsWith(ending) && !name.endsWith(".d.ts"));
}

test("every file of src/ has a row, and no row is of another file", () => {
  assert.equal(new Set(rows.map(({ file }) => file)), new Set(list("src/", ".ts")));
  assert.is(new Set(rows.map(({ file }) => file)).size, rows.length, "each once");
});

test("the tests that rows name are there", () => {
  for (const { file, tests } of rows) {
    if (tests.includes("`npm run")) continue;
    for (const name of tests.split(", "))
      assert.ok(existsSync(new URL(`tests/${name}.test.ts`, root)), `${file}: ${name}`);
  }
});

test("every test in tests/sources/ is in a row", () => {
  const named = new Set(rows.flatMap(({ tests }) => tests.split(", ")));
  for (const name of list("tests/sources/", ".test.ts")) {
    assert.ok(named.has(`sources/${name.slice(0, -".test.ts".length)}`), name);
  }
});

test("every file of assembly/ has a spec of its name, or is used by those that have", () => {
  const specs = list("tests/assembly/", ".spec.ts").map((name) => name.replace(".spec.ts", ".ts"));
  const helpers = ["index.ts", "memory.ts", "tables.ts"];
  assert.equal(new Set([...specs, ...helpers]), new Set(list("assembly/", ".ts")));
});

test.run();
