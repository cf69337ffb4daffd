// What the library may weigh where it is used: bundled and minified by esbuild, the module included, after gzip.

import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { test } from "uvu";
import * as assert from "uvu/assert";

const pathOf = (name: string): string => fileURLToPath(import.meta.resolve(name));
const root = dirname(pathOf("ddim-wasm/package.json"));
const gzip = (content: Uint8Array): number => gzipSync(content, { level: 9 }).length;

/** What a user's program imports, and the bytes that it may add to a bundle. */
const BUNDLES: Record<string, number> = {
  'export { DDIMScheduler, Generator } from "ddim-wasm"': 19 * 1024,
  'export * from "ddim-wasm"': 25.5 * 1024,
  'export * from "ddim-wasm/portable"': 23.75 * 1024,
  'export * from "ddim-wasm/workerd"': 19.5 * 1024,
};

for (const [contents, limit] of Object.entries(BUNDLES)) {
  test(`${contents}: at most ${limit} bytes`, async () => {
    const { outputFiles } = await build({
      stdin: { contents, resolveDir: root },
      bundle: true,
      minify: true,
      write: false,
      format: "esm",
      target: "es2022",
      external: ["*.wasm"],
    });
    const bytes = gzip(outputFiles[0]!.contents);
    console.log(`${bytes} bytes: ${contents}`);
    assert.ok(bytes <= limit, `${bytes} bytes`);
  });
}

test("the minified file: at most 25.25 KB", () => {
  const bytes = gzip(readFileSync(`${root}/build/ddim-wasm.min.js`));
  assert.ok(bytes <= 25.25 * 1024, `${bytes} bytes`);
});

const MODULES: Record<string, number> = {
  "ddim-wasm/core.wasm": 9.5 * 1024,
  "ddim-wasm/core.scalar.wasm": 5.25 * 1024,
};

for (const [name, limit] of Object.entries(MODULES)) {
  const module = readFileSync(pathOf(name));
  test(`${name} takes at most ${limit} bytes`, () => {
    assert.ok(module.length <= limit, `${module.length} bytes`);
  });
  test(`${name} imports nothing`, () => {
    assert.equal(WebAssembly.Module.imports(new WebAssembly.Module(new Uint8Array(module))), []);
  });
}

test.run();
