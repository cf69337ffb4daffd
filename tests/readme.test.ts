// The README's promises that the tests of its code do not see: its length, its sizes, and the names it gives to those who
// come from Python.

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

test("README.md: our names in the table for those who come from Python", () => {
  const names = new Set(Object.keys(library));
  const { DDIMScheduler, DDIMInverseScheduler, Generator, DiffusionPipeline } = library;
  for (const Class of [DDIMScheduler, DDIMInverseScheduler, Generator, DiffusionPipeline]) {
    for (let owner: object = Class; owner !== Function.prototype; owner = Object.getPrototypeOf(owner)) {
      for (const holder of [owner, (owner as Function).prototype])
        for (const name of Object.getOwnPropertyNames(holder)) names.add(name);
    }
  }
  const [, table] = readme.split("| diffusers ");
  const lines = table!.split("\n\n")[0]!.split("\n").slice(2);
  const ours = lines.flatMap((line) => line.split(" | ")[2]!.match(/\w+(?=\()/g) ?? []);
  assert.ok(ours.length >= 10, ours.join());
  for (const name of ours) assert.ok(names.has(name), name);
});

test.run();
