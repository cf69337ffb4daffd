// Promises of the README and the pages that the tests of their code do not see: length, sizes, and the names for those who
// come from other libraries.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import * as library from "ddim-wasm";
import { build } from "esbuild";
import { test } from "uvu";
import * as assert from "uvu/assert";

const root = new URL("../../", import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), "utf8");
const readme = read("README.md");

// What a program adds to a bundle, gzipped: the README's two figures, and the table's.
const bytesOf: Record<string, number> = {};
const performance = read("docs/performance.md");
for (const [, program, bytes] of performance.matchAll(/^\| `(export .*?)`.*\| ([\d,]+) +\|$/gm)) {
  bytesOf[program!] = Number(bytes!.replace(",", ""));
}
const [, some, all] = /(\d+) KB for scheduler and generator, (\d+) KB for everything/.exec(readme)!;
test("README.md: its sizes are those of docs/performance.md", () => {
  assert.is(Number(some) * 1000, bytesOf['export { DDIMScheduler, Generator } from "ddim-wasm"']);
  assert.is(Number(all) * 1000, bytesOf['export * from "ddim-wasm"']);
});

for (const [contents, most] of Object.entries(bytesOf)) {
  test(`docs/performance.md: ${contents} takes at most ${most} bytes`, async () => {
    const { outputFiles } = await build({
      stdin: { contents, resolveDir: fileURLToPath(root) },
      bundle: true,
      minify: true,
      write: false,
      format: "esm",
      target: "es2022",
      external: ["*.wasm"],
    });
    const bytes = gzipSync(outputFiles[0]!.contents, { level: 9 }).length;
    assert.ok(bytes <= most, `${bytes} bytes`);
  });
}

test("README.md has at most 180 lines", () => {
  assert.ok(readme.trimEnd().split("\n").length <= 180);
});

test("docs/porting.md: our names are names of the library", () => {
  const names = new Set(Object.keys(library));
  for (const Class of Object.values(library)) {
    if (typeof Class !== "function") continue;
    for (let owner: object = Class; owner !== Function.prototype; owner = Object.getPrototypeOf(owner)) {
      for (const holder of [owner, (owner as Function).prototype]) {
        for (const name of Object.getOwnPropertyNames(holder ?? {})) names.add(name);
      }
    }
  }
  const rows = read("docs/porting.md").match(/^\| .*\|$/gm)!;
  const ours = rows.flatMap((row) => row.split(" | ")[1]!.match(/\w+(?=\()/g) ?? []);
  assert.ok(ours.length >= 30, ours.join());
  for (const name of ours) assert.ok(names.has(name), name);
});

test.run();
