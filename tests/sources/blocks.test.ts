// src/module/blocks.ts against a model that knows only which blocks are in use.

import * as fc from "../fast-check.js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Blocks } from "../../src/module/blocks.js";

const BASE = 1000;
/** Where blocks begin: the next multiple of 64. */
const FIRST = 1024;

/** Memory in an engine that has no more than `most` bytes. */
class Memory {
  buffer = new ArrayBuffer(2048);
  readonly most: number;

  constructor(most = Infinity) {
    this.most = most;
  }

  growTo(bytes: number): void {
    if (bytes <= this.buffer.byteLength || bytes > this.most) return;
    const grown = new ArrayBuffer(bytes);
    new Uint8Array(grown).set(new Uint8Array(this.buffer));
    this.buffer = grown;
  }
}

interface Block {
  address: number;
  bytes: number;
  /** What its bytes have been filled with. */
  fill: number;
}

const sizeOf = ({ bytes }: Pick<Block, "bytes">): number => Math.max(Math.ceil(bytes / 64), 1) * 64;
const endOf = (block: Block): number => block.address + sizeOf(block);

/** Where the last block ends, and the largest stretch before that which is not in use. */
function survey(live: readonly Block[]): { top: number; largest: number } {
  let top = FIRST;
  let largest = 0;
  const sorted = [...live];
  sorted.sort((a, b) => a.address - b.address);
  for (const block of sorted) {
    largest = Math.max(largest, block.address - top);
    top = endOf(block);
  }
  return { top, largest };
}

/** A number of bytes to allocate, or the index of a block to free. */
const actions = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ allocate: fc.nat(600) }) },
    { weight: 2, arbitrary: fc.record({ free: fc.nat(1000) }) },
  ),
  { minLength: 1, maxLength: 120 },
);

test("blocks never overlap, are zeros, and take no memory while a stretch that was freed is large enough", () => {
  fc.assert(
    fc.property(actions, (list) => {
      const memory = new Memory();
      const blocks = new Blocks(BASE, memory);
      const live: Block[] = [];
      for (const [i, action] of list.entries()) {
        if ("free" in action) {
          const [block] = live.splice(action.free % Math.max(live.length, 1), 1);
          if (!block) continue;
          const bytes = new Uint8Array(memory.buffer, block.address, block.bytes);
          assert.ok(
            bytes.every((byte) => byte === block.fill),
            "another block was written over this one",
          );
          blocks.free(block.address, block.bytes);
          continue;
        }
        const bytes = action.allocate;
        const { top, largest } = survey(live);
        const block = { address: blocks.allocate(bytes), bytes, fill: (i % 255) + 1 };
        assert.is(block.address % 64, 0);
        assert.ok(block.address >= FIRST);
        for (const other of live) assert.ok(endOf(block) <= other.address || endOf(other) <= block.address, "overlap");
        if (sizeOf(block) <= largest) assert.ok(endOf(block) <= top, "memory was taken though a hole is large enough");
        else assert.is(block.address, top, "memory beyond the last block has been left out");
        const view = new Uint8Array(memory.buffer, block.address, sizeOf(block));
        assert.ok(
          view.every((byte) => byte === 0),
          "not zeros",
        );
        view.fill(block.fill);
        live.push(block);
      }
    }),
    { numRuns: 500 },
  );
});

/** Blocks of 64, 128, ... bytes, side by side. */
function allocateRow(blocks: Blocks, count: number): Block[] {
  return Array.from({ length: count }, (_, i) => {
    const bytes = 64 * (i + 1);
    return { address: blocks.allocate(bytes), bytes, fill: 0 };
  });
}

for (const order of [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
]) {
  test(`three neighbours freed in the order ${order.join()} make one hole, which fits exactly`, () => {
    const blocks = new Blocks(BASE, new Memory());
    const row = allocateRow(blocks, 4);
    for (const index of order) blocks.free(row[index]!.address, row[index]!.bytes);
    assert.is(blocks.allocate(64 + 128 + 192), row[0]!.address);
    assert.is(blocks.allocate(1), endOf(row[3]!));
  });
}

test("what is left of a hole serves further blocks", () => {
  const blocks = new Blocks(BASE, new Memory());
  const row = allocateRow(blocks, 3);
  blocks.free(row[1]!.address, row[1]!.bytes);
  assert.equal(
    [blocks.allocate(64), blocks.allocate(64), blocks.allocate(64)],
    [row[1]!.address, row[1]!.address + 64, endOf(row[2]!)],
  );
});

test("once all is freed, memory begins anew", () => {
  const memory = new Memory();
  const blocks = new Blocks(BASE, memory);
  for (let round = 0; round < 3; round++) {
    for (const { address, bytes } of allocateRow(blocks, 6)) blocks.free(address, bytes);
    const whole = blocks.allocate(1344);
    assert.is(whole, FIRST);
    blocks.free(whole, 1344);
  }
  assert.is(memory.buffer.byteLength, FIRST + 1344);
});

test("an empty block has memory of its own", () => {
  const blocks = new Blocks(BASE, new Memory());
  assert.equal([blocks.allocate(0), blocks.allocate(0)], [FIRST, FIRST + 64]);
});

test("memory that ends is an error, which takes nothing", () => {
  const blocks = new Blocks(BASE, new Memory(4096));
  assert.throws(() => blocks.allocate(4096), /no memory left for a resident tensor of 4096 bytes/);
  assert.is(blocks.allocate(4096 - FIRST), FIRST, "the rest up to the last byte");
  assert.throws(() => blocks.allocate(1), RangeError);
  blocks.free(FIRST, 4096 - FIRST);
  assert.is(blocks.allocate(1), FIRST);
});

test.run();
