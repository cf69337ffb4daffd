// Drawing for whole tensors and for tensors in pieces: the same bits, whatever the pieces.

import * as fc from "../fast-check.js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { type Distribution, draw, NormalStream, type RandomState, seededState } from "../../src/kernels/noise.js";
import { type Instance, STAGE } from "../../src/module/instance.js";
import { storedAs } from "../../src/tensor/tensor.js";
import { halfToNumber } from "../binary16.js";
import { assertSameBits } from "../tensors.js";
import { blocksOf, instances, resident } from "./instances.js";

/** The generator's words, to compare states by. */
const wordsOf = (state: RandomState): number[] => Array.from(state);

/** The values of a tensor drawn at once, as floats, and the state after it. */
function drawWhole(core: Instance, state: RandomState, length: number, half: boolean): Float32Array {
  const values = half ? new Uint16Array(length) : new Float32Array(length);
  draw(core, state, "normal", storedAs(values));
  return half ? Float32Array.from(values, halfToNumber) : (values as Float32Array);
}

/** The same by a stream, in pieces of the given lengths; `at` is where in the stage each begins. */
function drawPieces(
  core: Instance,
  state: RandomState,
  length: number,
  half: boolean,
  pieces: Iterable<number>,
  at: (start: number) => number,
): Float32Array {
  const values = new Float32Array(length);
  const stream = new NormalStream(core, half);
  const { whole } = core.stages[STAGE.noise]!;
  stream.begin(state, length);
  let start = 0;
  for (const n of pieces) {
    stream.next(n, at(start));
    values.set(whole.subarray(at(start), at(start) + n), start);
    start += n;
  }
  assert.is(start, length);
  return values;
}

/** A length and where it is cut. */
const cuts = (most: number) =>
  fc
    .integer({ min: 1, max: most })
    .chain((length) =>
      fc.tuple(fc.constant(length), fc.array(fc.integer({ min: 1, max: Math.min(length, 100) }), { maxLength: 40 })),
    )
    .map(([length, wanted]) => {
      const pieces: number[] = [];
      let rest = length;
      for (const n of wanted) {
        if (n >= rest) break;
        pieces.push(n);
        rest -= n;
      }
      return [...pieces, rest];
    });

const sum = (pieces: readonly number[]): number => pieces.reduce((total, n) => total + n, 0);
const seeds = fc.integer({ min: 0, max: 2 ** 32 - 1 });

for (const [build, core] of Object.entries(instances)) {
  test(`${build}: pieces of any length give the bits of one draw, and leave the state that it leaves`, () => {
    fc.assert(
      fc.property(cuts(700), seeds, fc.boolean(), (pieces, seed, half) => {
        const [once, inPieces] = [seededState(core, seed), seededState(core, seed)];
        const length = sum(pieces);
        const expected = drawWhole(core, once, length, half);
        assertSameBits(
          drawPieces(core, inPieces, length, half, pieces, () => 0),
          expected,
          pieces.join(),
        );
        assert.equal(wordsOf(inPieces), wordsOf(once));
      }),
      { numRuns: 600 },
    );
  });

  test(`${build}: every length up to 100, in pieces of every length`, () => {
    for (let length = 1; length <= 100; length++) {
      const expected = drawWhole(core, seededState(core, length), length, false);
      for (let each = 1; each <= length; each++) {
        const pieces = Array.from({ length: Math.ceil(length / each) }, (_, i) => Math.min(each, length - i * each));
        const actual = drawPieces(core, seededState(core, length), length, false, pieces, () => 0);
        assertSameBits(actual, expected, `${length} in pieces of ${each}`);
      }
    }
  });

  test(`${build}: pieces side by side in the stage`, () => {
    fc.assert(
      fc.property(cuts(400), seeds, (pieces, seed) => {
        const length = sum(pieces);
        const expected = drawWhole(core, seededState(core, seed), length, false);
        assertSameBits(
          drawPieces(core, seededState(core, seed), length, false, pieces, (start) => start),
          expected,
        );
      }),
      { numRuns: 200 },
    );
  });

  test(`${build}: tensors beyond the piece that passes through the module at once`, () => {
    const { pieceLength } = core;
    for (const extra of [-1, 0, 1, 15, 16, 17, pieceLength, pieceLength + 5]) {
      const length = pieceLength + extra;
      for (const half of [false, true]) {
        const outside = seededState(core, 7);
        const expected = drawWhole(core, outside, length, half);
        const inPieces = seededState(core, 7);
        const pieces = [Math.min(length, pieceLength)];
        for (let rest = length - pieces[0]!; rest > 0; rest -= pieces.at(-1)!) pieces.push(Math.min(rest, pieceLength));
        assertSameBits(
          drawPieces(core, inPieces, length, half, pieces, () => 0),
          expected,
          `${length}`,
        );
        assert.equal(wordsOf(inPieces), wordsOf(outside));

        const inside = seededState(core, 7);
        const tensor = resident(core, half ? new Uint16Array(length) : new Float32Array(length));
        draw(core, inside, "normal", tensor);
        const values = half ? Float32Array.from(tensor.values, halfToNumber) : (tensor.values as Float32Array);
        assertSameBits(values, expected, `${length}, resident`);
        assert.equal(wordsOf(inside), wordsOf(outside));
        blocksOf(core).free(tensor.values.byteOffset, tensor.values.byteLength);
      }
    }
  });

  test(`${build}: a stream of one tensor after another goes on where the first ended`, () => {
    const [once, streamed] = [seededState(core, 3), seededState(core, 3)];
    for (const length of [5, 16, 3, 33, 1, 100]) {
      const expected = drawWhole(core, once, length, false);
      const actual = drawPieces(core, streamed, length, false, length > 2 ? [2, length - 2] : [length], () => 0);
      assertSameBits(actual, expected);
    }
  });

  test(`${build}: a seed leaves nothing of the draws before it`, () => {
    const fresh = seededState(core, 5);
    // An odd number of values, one by one: the second of the last pair is kept for the next draw.
    for (const length of [1, 3, 15]) {
      drawWhole(core, seededState(core, 9), length, false);
      assert.equal(wordsOf(seededState(core, 5)), wordsOf(fresh), `after ${length}`);
    }
  });

  test(`${build}: a draw depends on its state alone`, () => {
    const expected = drawWhole(core, seededState(core, 4), 3, false);
    const state = seededState(core, 4);
    drawWhole(core, seededState(core, 8), 1, false);
    assertSameBits(drawWhole(core, state, 3, false), expected);
  });
}

test("SIMD and scalar give the same bits, and the same states", () => {
  for (const distribution of ["normal", "uniform", "word"] as Distribution[]) {
    for (const half of distribution === "word" ? [false] : [false, true]) {
      for (const length of [1, 2, 15, 16, 17, 31, 100, 623, 625, 1249, 20_000]) {
        const drawn = Object.values(instances).map((core) => {
          const state = seededState(core, length);
          const values = half ? new Uint16Array(length) : new Float32Array(length);
          draw(core, state, distribution, storedAs(values));
          return { bytes: new Uint8Array(values.buffer), words: wordsOf(state) };
        });
        assert.equal(drawn[0], drawn[1], `${distribution} ${length}`);
      }
    }
  }
});

test.run();
