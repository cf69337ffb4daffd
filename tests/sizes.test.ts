// What the library may weigh: more has to be worth it.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { gzipSync } from "node:zlib";
import { test } from "uvu";
import * as assert from "uvu/assert";

const resolve = createRequire(import.meta.url).resolve;
const read = (file: string): Buffer => readFileSync(resolve(file));

/** Bytes, of the entries after gzip. */
const LIMITS = {
  "ddim-wasm/core.wasm": 8 * 1024,
  "ddim-wasm/core.scalar.wasm": 4.5 * 1024,
  "ddim-wasm": 18_600,
  "ddim-wasm/workerd": 13 * 1024,
  "ddim-wasm/portable": 16.5 * 1024,
};

for (const [file, limit] of Object.entries(LIMITS)) {
  test(`${file} takes at most ${limit} bytes`, () => {
    const bytes = file.endsWith(".wasm") ? read(file) : gzipSync(read(file), { level: 9 });
    assert.ok(bytes.length <= limit, `${bytes.length} bytes`);
  });
}

for (const file of ["ddim-wasm/core.wasm", "ddim-wasm/core.scalar.wasm"]) {
  test(`${file} imports nothing`, () => {
    assert.equal(WebAssembly.Module.imports(new WebAssembly.Module(new Uint8Array(read(file)))), []);
  });
}

test.run();
