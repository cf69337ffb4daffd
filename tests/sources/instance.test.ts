import { test } from "uvu";
import * as assert from "uvu/assert";
import { Blocks } from "../../src/module/blocks.js";
import type { Exports } from "../../src/module/exports.js";
import { makeInstance, Stage, STAGE } from "../../src/module/instance.js";
import { newInstance } from "./instances.js";

const PAGE = 65536;

for (const build of ["simd", "scalar"] as const) {
  test(`${build}: stages lie side by side, and what else is fixed lies below the heap`, () => {
    const core = newInstance(build);
    assert.is(core.pieceLength % 16, 0);
    assert.is(core.stages.length, Object.keys(STAGE).length);
    core.stages.forEach(({ address, whole }, i) => {
      assert.is(whole.length, core.pieceLength + 32);
      assert.is(whole.byteOffset, address);
      if (i > 0) assert.is(address, core.stages[i - 1]!.address + whole.byteLength);
    });
    assert.is(core.halves.address, core.stages[STAGE.halves]!.address);
    const views = [core.records, core.statistics, core.randomState, ...core.stages.map(({ whole }) => whole)];
    for (const { buffer, byteOffset, byteLength } of views) {
      assert.is(buffer, core.buffer);
      assert.ok(byteOffset + byteLength <= core.heapBase);
    }
    assert.equal([core.recordCount, core.records.length, core.statistics.length], [256, 256 * 11, 256]);
    assert.is(core.randomState.length, 630);
  });

  test(`${build}: memory grows as far as is needed, by whole pages, and views are made anew`, () => {
    const core = newInstance(build);
    const { buffer, records } = core;
    const before = buffer.byteLength;
    for (const bytes of [0, 1, before - 1, before]) core.growTo(bytes);
    assert.is(core.buffer, buffer);
    records[0] = 7;
    core.growTo(before + 1);
    assert.is(core.buffer.byteLength, before + PAGE);
    assert.is(buffer.byteLength, 0, "the old one is gone");
    assert.is(core.records[0], 7);
    for (const view of [core.statistics, core.randomState, core.halves.whole]) assert.is(view.buffer, core.buffer);
    core.growTo(before + 3 * PAGE);
    assert.is(core.buffer.byteLength, before + 3 * PAGE);
  });

  // WebAssembly answers -1, the portable build's engine throws.
  for (const grow of [
    () => -1,
    () => {
      throw new RangeError("Array buffer allocation failed");
    },
  ]) {
    // prettier-ignore
    test(`${build}: an engine that has no memory leaves everything as it was: ${grow}`, () => {
      const { exports } = newInstance(build);
      const core = makeInstance({ ...exports, grow } as Exports, "none");
      const before = core.buffer.byteLength;
      core.growTo(before + 1);
      assert.is(core.buffer.byteLength, before);
      assert.is(core.records.buffer, core.buffer);
      const blocks = new Blocks(core.heapBase, core);
      const most = before - Math.ceil(core.heapBase / 64) * 64;
      assert.throws(() => blocks.allocate(most + 1), /^no memory left for a resident tensor/);
      const address = blocks.allocate(most);
      assert.throws(() => blocks.allocate(1), RangeError);
      blocks.free(address, most);
    });
  }

  test(`${build}: exports that compute wrongly, or are of another module, are refused`, () => {
    const { exports } = newInstance(build);
    for (const kernel of [
      "update",
      "blend",
      "encode",
      "decode",
      "drawNormals",
      "drawUniforms",
      "seedRandom",
    ] as const) {
      const wrong = { ...exports, [kernel]: () => {} } as Exports;
      assert.throws(() => makeInstance(wrong, "the remedy"), /^this engine computes .* wrongly: the remedy/, kernel);
    }
    const other = { memory: exports.memory } as Exports;
    assert.throws(() => makeInstance(other, "none"), (error: Error) => error instanceof TypeError && /not ddim-wasm/.test(error.message)); // prettier-ignore
  });
}

test("a stage's first values are a view that is kept", () => {
  const whole = new Float32Array(new ArrayBuffer(64), 16, 8);
  const stage = new Stage(whole);
  assert.is(stage.address, 16);
  assert.is(stage.first(8), whole);
  const three = stage.first(3);
  assert.equal([three.length, three.byteOffset, three.buffer === whole.buffer], [3, 16, true]);
  assert.is(stage.first(3), three);
  assert.is(stage.first(2).length, 2);
});

test.run();
