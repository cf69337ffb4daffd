// What the library does where an engine computes wrongly, or has no SIMD.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { copy } from "./implementations.js";

const resolve = (name: string): string => fileURLToPath(import.meta.resolve(name));
const wasm = readFileSync(resolve("ddim-wasm/core.wasm"));

/** The second byte of an instruction, after 0xfd and before 1, and that of another which takes and gives the same. */
const CONFUSIONS: Record<string, [code: number, other: number]> = {
  "i32x4.add": [0xae, 0xb1],
  "i32x4.sub": [0xb1, 0xae],
  "i32x4.max_s": [0xb8, 0xb6],
  "f32x4.add": [0xe4, 0xe6],
  "f32x4.sub": [0xe5, 0xe4],
  "f32x4.mul": [0xe6, 0xe4],
  "f32x4.pmin": [0xea, 0xeb],
  "f32x4.pmax": [0xeb, 0xea],
  "f64x2.add": [0xf0, 0xf2],
  "f64x2.mul": [0xf2, 0xf0],
};

/** The module as an engine would run it that confuses two instructions in one place of many. */
function* confuse(code: number, other: number): Generator<Uint8Array> {
  for (let i = 0; i + 2 < wasm.length; i++) {
    if (wasm[i] !== 0xfd || wasm[i + 1] !== code || wasm[i + 2] !== 1) continue;
    const confused = Uint8Array.from(wasm);
    confused[i + 1] = other;
    yield confused;
  }
}

for (const [name, [code, other]] of Object.entries(CONFUSIONS)) {
  test(`an engine that computes ${name} wrongly is refused at the first use, and the right module taken then`, async () => {
    let refusals = 0;
    let places = 0;
    for (const module of confuse(code, other)) {
      if (refusals > 0) break;
      const library = await copy(`${name} ${places++}`);
      const error: unknown = await library.init(module).catch((thrown: unknown) => thrown);
      if (error === undefined) continue; // a place that the small computation does not reach
      assert.instance(error, Error);
      assert.match((error as Error).message, /computes the WebAssembly module wrongly: import "ddim-wasm\/portable"/);
      await library.init(wasm);
      assert.is(new library.Generator(0).randn([16]).data[0], Math.fround(-1.1258398));
      refusals++;
    }
    assert.is(refusals, 1, `${places} places`);
  });
}

test("an engine without SIMD is told what to import, and runs the scalar module", () => {
  if (process.arch !== "x64") {
    console.log(`Skipped: only on x86-64 can Node be started without SIMD, not on ${process.arch}.`);
    return;
  }
  const script = `
    import { readFileSync } from "node:fs";
    import { Generator, init } from ${JSON.stringify(import.meta.resolve("ddim-wasm"))};
    const answer = {};
    try {
      new Generator(0);
    } catch ({ message, cause }) {
      Object.assign(answer, { message, cause: cause.message });
    }
    await init(readFileSync(${JSON.stringify(resolve("ddim-wasm/core.scalar.wasm"))}));
    answer.first = new Generator(0).randn([16]).data[0];
    console.log(JSON.stringify(answer));`;
  const options = ["--no-enable-sse4-1", "--input-type=module", "--eval", script];
  // Node warns, on stderr, where one of these is set beside the other.
  const env = { ...process.env, NO_COLOR: undefined, FORCE_COLOR: undefined };
  const { stdout, stderr } = spawnSync(process.execPath, options, { encoding: "utf8", env });
  assert.is(stderr, "");
  const { message, cause, first } = JSON.parse(stdout) as { message: string; cause: string; first: number };
  assert.is(
    message,
    'this engine does not start the WebAssembly module (it takes SIMD): import "ddim-wasm/portable", or give init the module "ddim-wasm/core.scalar.wasm"',
  );
  assert.match(cause, /SIMD/);
  assert.is(first, Math.fround(-1.1258398));
});

test.run();
