// The module's functions, called directly: SIMD and scalar give the same bits, and nothing beyond n is read or written.

import * as fc from "../fast-check.js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Instance } from "../../src/module/instance.js";
import { halfToNumber, numberToHalf } from "../binary16.js";
import { assertSameBits } from "../tensors.js";
import { blocksOf, type Build, newInstance } from "./instances.js";

/** Most values of a call, and the values around its memory that are to stay. */
const MOST = 80;
const GUARD = 24;
const SENTINEL = 0xa5;

/** An instance with some memory of its own. */
function setUp(build: Build) {
  const core = newInstance(build);
  // Five arrays of doubles, floats or halves, each between guards.
  const size = 8 * (MOST + 2 * GUARD);
  const start = blocksOf(core).allocate(5 * size);
  const address = (index: number): number => start + index * size + 8 * GUARD;
  const bytes = new Uint8Array(core.buffer, start, 5 * size);
  return { core, address, bytes };
}

type Bench = ReturnType<typeof setUp>;

const benches: Record<Build, Bench> = { simd: setUp("simd"), scalar: setUp("scalar") };

/** All bits there are, and those where arithmetic is special. */
const floats = fc.array(
  fc.oneof(
    fc.float({ noDefaultInfinity: true, noNaN: true, min: -4, max: 4 }),
    fc.float(),
    fc.constantFrom(0, -0, Infinity, -Infinity, NaN, 2 ** -149, -(2 ** -126), 3.4e38, -3.4e38, 65504, 65520, 2 ** -24),
  ),
  { minLength: 5 * MOST, maxLength: 5 * MOST },
);

const lengths = fc.integer({ min: 0, max: MOST });

interface Kernel {
  /** Arrays that it reads, by index; the arrays are filled with floats. */
  run(core: Instance, at: (index: number) => number, n: number): unknown;
  /** Bytes that it writes from the beginning of each array that it writes to. */
  written(n: number): Record<number, number>;
}

const record = [0.75, -0.5, 1.5, 1, 1.25, 1, 0.1, 0.4, 0.3, 0.7, 0.2, 0.6];

const KERNELS: Record<string, Kernel> = {
  update: {
    run: (core, at, n) => {
      core.records.set(record);
      core.exports.update(at(0), at(4), at(1), at(2), 0, at(3), n, 1, 0);
    },
    written: (n) => ({ 0: 4 * n, 4: 4 * n }),
  },
  "update with guidance": {
    run: (core, at, n) => {
      core.records.set(record);
      core.exports.update(at(0), 0, at(1), at(2), at(3), 0, n, 1, 2.5);
    },
    written: (n) => ({ 0: 4 * n }),
  },
  "update of a batch": {
    run: (core, at, n) => {
      // As many records as there are elements, whatever a record's length is.
      core.records.forEach((_, i) => (core.records[i] = ((i * 37) % 19) / 8 - 1));
      core.exports.update(at(0), at(4), at(1), at(2), 0, at(3), Math.floor(n / 4), 4, 0);
    },
    written: (n) => ({ 0: 16 * Math.floor(n / 4), 4: 16 * Math.floor(n / 4) }),
  },
  blend: {
    run: (core, at, n) => core.exports.blend(at(0), at(1), at(2), at(3), 0, n),
    written: (n) => ({ 0: 4 * n }),
  },
  "blend with one weight": {
    run: (core, at, n) => core.exports.blend(at(0), at(1), at(2), 0, 0.3, n),
    written: (n) => ({ 0: 4 * n }),
  },
  firstNotFinite: { run: (core, at, n) => core.exports.firstNotFinite(at(0), n), written: () => ({}) },
  "decode and encode": {
    run: (core, at, n) => {
      core.exports.encode(at(0), at(1), n);
      core.exports.decode(at(2), at(0), n);
    },
    written: (n) => ({ 0: 2 * n, 2: 4 * n }),
  },
  "decode any bits": { run: (core, at, n) => core.exports.decode(at(0), at(1), n), written: (n) => ({ 0: 4 * n }) },
  drawWords: {
    run: (core, at, n) => {
      core.exports.seedRandom(n);
      core.exports.drawWords(at(0), n);
    },
    written: (n) => ({ 0: 4 * n }),
  },
  drawUniforms: {
    run: (core, at, n) => {
      core.exports.seedRandom(n);
      core.exports.drawUniforms(at(0), n, false);
    },
    written: (n) => ({ 0: 4 * n }),
  },
  drawFewNormals: {
    run: (core, at, n) => {
      core.exports.seedRandom(n);
      core.exports.drawFewNormals(at(0), Math.min(n, 15));
    },
    written: (n) => ({ 0: 4 * Math.min(n, 15) }),
  },
  drawNormals: {
    run: (core, at, n) => {
      if (n < 16) return;
      core.exports.seedRandom(n);
      core.exports.drawNormals(at(0), n, false);
    },
    written: (n) => ({ 0: n < 16 ? 0 : 4 * n }),
  },
};

/** Lays out the inputs, runs a kernel, and returns all that is in memory then. */
function runOn({ core, address, bytes }: Bench, kernel: Kernel, values: readonly number[], n: number, shift: number) {
  bytes.fill(SENTINEL);
  const at = (index: number): number => address(index) + shift;
  for (let i = 0; i < 5; i++) {
    new Float32Array(core.buffer, at(i), MOST).set(values.slice(i * MOST, (i + 1) * MOST));
  }
  const before = bytes.slice();
  const result = kernel.run(core, at, n);
  const written = kernel.written(n);
  for (const [index, length] of Object.entries(written)) {
    const from = at(Number(index)) - bytes.byteOffset;
    before.set(bytes.subarray(from, from + length), from);
  }
  assert.is(Buffer.compare(bytes, before), 0, "bytes were written that are none of its results");
  const results = Object.entries(written).map(([index, length]) => {
    const start = at(Number(index));
    return core.buffer.slice(start, start + length);
  });
  return { result, results };
}

for (const [name, kernel] of Object.entries(KERNELS)) {
  test(`${name}: SIMD and scalar give the same bits, and write them alone`, () => {
    fc.assert(
      fc.property(floats, lengths, fc.constantFrom(0, 8, 24), (values, n, shift) => {
        const simd = runOn(benches.simd, kernel, values, n, shift);
        const scalar = runOn(benches.scalar, kernel, values, n, shift);
        assert.equal(simd.result, scalar.result);
        simd.results.forEach((bits, i) => {
          const other = scalar.results[i]!;
          if (Buffer.compare(new Uint8Array(bits), new Uint8Array(other)) === 0) return;
          // Only a NaN's sign and payload may differ.
          if (bits.byteLength % 4 === 0) assertSameBits(new Float32Array(bits), new Float32Array(other), name);
          else assert.unreachable(`${name} differs`);
        });
      }),
      { numRuns: 300 },
    );
  });
}

for (const [build, { core, address, bytes }] of Object.entries(benches)) {
  test(`${build}: every half as a float and back`, () => {
    const per = 64;
    for (let first = 0; first < 65536; first += per) {
      const halves = new Uint16Array(core.buffer, address(0), per).map((_, i) => first + i);
      bytes.fill(SENTINEL);
      new Uint16Array(core.buffer, address(0), per).set(halves);
      core.exports.decode(address(1), address(0), per);
      core.exports.encode(address(2), address(1), per);
      const [values, back] = [
        new Float32Array(core.buffer, address(1), per),
        new Uint16Array(core.buffer, address(2), per),
      ];
      for (let i = 0; i < per; i++) {
        const expected = halfToNumber(halves[i]!);
        assert.ok(Object.is(values[i], expected) || Number.isNaN(expected), `${halves[i]}`);
        assert.is(back[i], Number.isNaN(expected) ? 0x7e00 : halves[i]);
        assert.is(Number.isNaN(values[i]!), Number.isNaN(expected));
      }
    }
  });

  test(`${build}: floats become the nearest half`, () => {
    fc.assert(
      fc.property(fc.array(fc.float({ noNaN: true }), { minLength: MOST, maxLength: MOST }), (values) => {
        // Half of them in the range of halves, from subnormal to infinite.
        const near = values.map((value, i) => (i % 2 ? value : Math.sign(value) * Math.abs(value) ** 0.15));
        const floats32 = new Float32Array(core.buffer, address(1), MOST);
        floats32.set(near);
        core.exports.encode(address(0), address(1), MOST);
        const halves = new Uint16Array(core.buffer, address(0), MOST);
        floats32.forEach((value, i) => assert.is(halves[i], numberToHalf(value), `${value}`));
      }),
      { numRuns: 300 },
    );
  });

  test(`${build}: firstNotFinite finds the first, wherever it is`, () => {
    for (let n = 1; n <= MOST; n++) {
      const values = new Float32Array(core.buffer, address(0), MOST).fill(3.4e38);
      values.fill(NaN, n);
      assert.is(core.exports.firstNotFinite(address(0), n), -1);
      for (const [i, value] of [NaN, Infinity, -Infinity].entries()) {
        const place = (n * 7 + i) % n;
        values[place] = value;
        assert.is(core.exports.firstNotFinite(address(0), n), place);
        values[place] = -1;
      }
    }
  });
}

/** Functions of doubles, on the values that schedules take them of. */
for (const [kernel, low, high, truth] of [
  ["cosines", 0, 1.6, Math.cos],
  ["exponentials", -6, 6, Math.exp],
] as const) {
  test(`${kernel}: within two units of the truth, the same bits in both`, () => {
    const inputs = Float64Array.from({ length: MOST }, (_, i) => low + (i / (MOST - 1)) * (high - low));
    const results = Object.values(benches).map(({ core, address, bytes }) => {
      for (let n = 0; n <= MOST; n++) {
        bytes.fill(SENTINEL);
        const values = new Float64Array(core.buffer, address(0), MOST);
        values.set(inputs);
        core.exports[kernel](address(0), n);
        for (let i = 0; i < MOST; i++) {
          const expected = i < n ? truth(inputs[i]!) : inputs[i]!;
          assert.ok(Math.abs(values[i]! - expected) <= (i < n ? 2 ** -51 : 0) * Math.max(1, Math.abs(expected)));
        }
      }
      return bytes.slice();
    });
    assert.equal(results[0], results[1]);
  });
}

test.run();
