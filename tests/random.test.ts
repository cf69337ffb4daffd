import { createHash } from "node:crypto";
import type { Generator as GeneratorType } from "ddim-wasm";
import * as fc from "./fast-check.js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { readGolden } from "./golden.js";
import { implementations } from "./implementations.js";
import { type Data, emptyData } from "./tensors.js";
import { type DType, TorchRandom } from "./torch-random.js";

const golden = readGolden("rng");

const sha256 = (data: NodeJS.TypedArray): string => createHash("sha256").update(data).digest("hex");

/** Integers as torch has them, 64 bits each. */
const wide = (integers: Int32Array | BigInt64Array): BigInt64Array => BigInt64Array.from(integers, BigInt);

/** The next words of a generator. */
const nextWords = (generator: GeneratorType): number[] => Array.from(generator.randint(0, 2 ** 20, [4]));

const bits = (data: Float32Array | Uint16Array): Uint32Array | Uint16Array =>
  data instanceof Float32Array ? new Uint32Array(data.buffer, data.byteOffset, data.length) : data;

// torch's layout of a state.
const AT = { seed: 0, left: 8, seeded: 12, next: 16, words: 24, cached: 5024, hasCached: 5040, end: 5056 };

/** The word that MT19937's tempering turns into `word`. */
function untempered(word: number): number {
  let y = word;
  y ^= y >>> 18;
  y ^= (y << 15) & 0xefc60000;
  let seven = y;
  for (let i = 0; i < 4; i++) seven = y ^ ((seven << 7) & 0x9d2c5680);
  y = seven;
  y ^= (y >>> 11) ^ (y >>> 22);
  return y >>> 0;
}

/** Whether values are the same, of which -0 and 0 are not. */
function same(actual: NodeJS.TypedArray, expected: NodeJS.TypedArray): boolean {
  return Buffer.from(actual.buffer, actual.byteOffset, actual.byteLength).equals(
    Buffer.from(expected.buffer, expected.byteOffset, expected.byteLength),
  );
}

const expectations = new Map<string, { normals: Float32Array | Uint16Array; next: number[] }>();

/** The normals of a seed and the words after them, computed once for all implementations. */
function expectedNormals(
  seed: number,
  n: number,
  type: DType,
): { normals: Float32Array | Uint16Array; next: number[] } {
  const key = `${seed} ${n} ${type}`;
  if (!expectations.has(key)) {
    const torch = new TorchRandom(seed);
    expectations.set(key, { normals: torch.randn(n, type), next: torch.randint(0, 2 ** 20, 4) });
  }
  return expectations.get(key)!;
}

for (const [name, { Generator }] of Object.entries(implementations)) {
  /** Performs one call that is recorded in the golden data. */
  const perform = (generator: GeneratorType, op: any): NodeJS.TypedArray => {
    if (op.op === "randint") {
      const bounds = op.high > 2 ** 31 ? ([BigInt(op.low), BigInt(op.high)] as const) : ([op.low, op.high] as const);
      return wide(generator.randint(...(bounds as [number, number]), [op.n]));
    }
    return generator[op.op as "rand" | "randn"]([op.n], { type: op.dtype as DType }).data;
  };

  for (const { seed, first8 } of golden.mt19937_u32) {
    test(`${name}: the words of seed ${seed}`, () => {
      // A range of 2^64 takes two words a value as they are, the high half first.
      const values = new Generator(BigInt(seed)).randint(-(2n ** 63n), 2n ** 63n, [4]);
      const words = Array.from(values, (value) => value + 2n ** 63n).flatMap((pair) => [
        pair >> 32n,
        pair & 0xffffffffn,
      ]);
      assert.equal(words.map(Number), first8);
    });
  }

  for (const single of golden.single) {
    test(`${name}: ${single.n} normals of seed ${single.seed}, ${single.dtype}`, () => {
      const generator = new Generator(BigInt(single.seed));
      const { data, dims, type } = generator.randn([single.n], { type: single.dtype as DType });
      assert.equal([dims, type], [[single.n], single.dtype]);
      const patterns = bits(data);
      const firstBits = single.first.bits.map(Number);
      assert.equal(Array.from(patterns.subarray(0, firstBits.length)), firstBits);
      const lastBits = single.last.bits.map(Number);
      assert.equal(Array.from(patterns.subarray(-lastBits.length)), lastBits);
      assert.is(sha256(data), single.sha256);
      assert.equal(nextWords(generator), single.next_randint_2p20);
    });
  }

  for (const sequence of golden.sequences) {
    test(`${name}: ${sequence.name}`, () => {
      const generator = new Generator(BigInt(sequence.seed));
      sequence.ops.forEach((op: any, i: number) => {
        if (op.op === "manual_seed") generator.manualSeed(BigInt(op.seed));
        else assert.is(sha256(perform(generator, op)), op.sha256, `call ${i}: ${op.op} of ${op.n}`);
      });
    });
  }

  // A state may hold any words, and 38 blocks of 16 fit before it is renewed. The first half of a block holds the
  // uniforms of radii, the second those of angles.
  test(`${name}: radius, cosine and sine of every 24-bit uniform`, () => {
    const { count, radius_sha256, cos_sha256, sin_sha256, samples } = golden.exhaustive;
    const blocks = 38;
    const generator = new Generator();
    const state = generator.getState();
    const view = new DataView(state.buffer);
    view.setInt32(AT.left, 624, true);
    view.setUint32(AT.next, 0, true);
    const words = new Uint32Array(state.buffer, AT.words, 2 * 16 * blocks);
    const normals = new Float32Array(16 * blocks);

    /** Fills tables with the normals of every uniform in half `varied` of a block, and `constant` in the other. */
    const tabulate = (varied: 0 | 8, constant: number, tables: { of: Float32Array; half: 0 | 8; scale: number }[]) => {
      for (let i = 0; i < 16 * blocks; i++) words[2 * i] = untempered(constant);
      for (let k = 0; k < count; k += 8 * blocks) {
        const n = Math.min(8 * blocks, count - k);
        for (let i = 0; i < n; i++) words[2 * (16 * (i >> 3) + varied + (i & 7))] = untempered(k + i);
        generator.setState(state).randn([2 * n], { out: normals.subarray(0, 2 * n) });
        for (const { of, half, scale } of tables) {
          for (let i = 0; i < n; i++) of[k + i] = normals[16 * (i >> 3) + half + (i & 7)]! * scale;
        }
      }
    };
    const [radius, cos, sin] = [new Float32Array(count), new Float32Array(count), new Float32Array(count)];
    tabulate(0, 0, [{ of: radius, half: 0, scale: 1 }]); // the cosine of 0 is 1
    tabulate(8, 1971375, [
      { of: cos, half: 0, scale: 2 }, // the radius of 1971375 / 2^24 is 0.5
      { of: sin, half: 8, scale: 2 },
    ]);

    for (const sample of samples) {
      const { k } = sample;
      const expected = [sample.radius, sample.cos, sample.sin].map(Number);
      assert.equal(Array.from(bits(Float32Array.of(radius[k]!, cos[k]!, sin[k]!))), expected, `uniform ${k}`);
    }
    assert.equal([sha256(radius), sha256(cos), sha256(sin)], [radius_sha256, cos_sha256, sin_sha256]);
  });

  // Tensors are made in pieces of 16,384 values, and the last 16 values of a tensor in a way of their own.
  for (const type of ["float32", "float16"] as const) {
    test(`${name}: sizes around multiples of a piece, ${type}`, () => {
      for (const pieces of [1, 2, 3]) {
        for (let rest = -1; rest <= 17; rest++) {
          const n = 16400 * pieces + rest;
          const seed = 100 * pieces + rest;
          const generator = new Generator(seed);
          const { normals, next } = expectedNormals(seed, n, type);
          assert.ok(same(generator.randn([n], { type }).data, normals), `${n} values`);
          assert.equal(nextWords(generator), next, `after ${n} values`);
        }
      }
    });
  }

  test(`${name}: calls in any order, with copies and states between them`, () => {
    const type = fc.constantFrom<DType>("float32", "float16");
    const size = fc.oneof(fc.nat(40), fc.integer({ min: 600, max: 1300 }), fc.integer({ min: 16370, max: 16420 }));
    const call = fc.oneof(
      fc.record({ kind: fc.constant("randn" as const), size, type }),
      fc.record({ kind: fc.constant("rand" as const), size, type }),
      fc.record({
        kind: fc.constant("randint" as const),
        size: fc.nat(700),
        high: fc.integer({ min: 1, max: 2 ** 27 }),
      }),
      fc.record({ kind: fc.constantFrom("clone" as const, "state" as const) }),
    );
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.array(call, { maxLength: 12 }), (seed, calls) => {
        let generator = new Generator(seed);
        const torch = new TorchRandom(seed);
        for (const step of calls) {
          switch (step.kind) {
            case "randn":
            case "rand": {
              const made = generator[step.kind]([step.size], { type: step.type });
              assert.ok(same(made.data, torch[step.kind](step.size, step.type)), `${step.kind} of ${step.size}`);
              break;
            }
            case "randint":
              assert.equal(
                Array.from(generator.randint(-7, step.high - 7, [step.size])),
                torch.randint(-7, step.high - 7, step.size),
              );
              break;
            case "clone":
              generator = generator.clone();
              break;
            case "state":
              generator = new Generator(1).setState(generator.getState());
              break;
          }
        }
      }),
      { seed: 1, numRuns: 60 },
    );
  });

  test(`${name}: few normals are one stream, however they are asked for`, () => {
    const draw = (...sizes: number[]) => {
      const generator = new Generator(3);
      return sizes.flatMap((n) => Array.from(generator.randn([n]).data));
    };
    const ten = draw(10);
    assert.equal(draw(5, 5), ten);
    assert.equal(draw(1, 2, 3, 4), ten);
    assert.equal(draw(0, 7, 0, 3), ten);
    assert.equal(draw(...Array.from({ length: 10 }, () => 1)), ten);
  });

  test(`${name}: multiples of 16 are one stream, and shapes only arrange it`, () => {
    const together = new Generator(4).randn([2, 4, 64, 64]).data;
    const generator = new Generator(4);
    const parts = [0, 1].flatMap(() => Array.from(generator.randn([1, 4, 64, 64]).data));
    assert.ok(same(together, Float32Array.from(parts)));
    assert.ok(same(together, new Generator(4).randn([2 * 4 * 64 * 64]).data));
  });

  test(`${name}: the type of values is that of out`, () => {
    for (const distribution of ["randn", "rand"] as const) {
      for (const type of ["float32", "float16"] as const) {
        const expected = new Generator(3)[distribution]([2, 5], { type });
        const bare = emptyData(10, type);
        const filled: object = new Generator(3)[distribution]([2, 5], { out: bare as Data });
        assert.equal(filled, { data: expected.data, dims: [2, 5], type }, "a tensor around a bare array");
        assert.is((filled as { data: Data }).data, bare);
        const tensor = { data: emptyData(10, type), dims: [2, 5] };
        assert.is(new Generator(3)[distribution]([2, 5], { out: tensor }), tensor);
        assert.equal(tensor.data, expected.data);
      }
    }
  });

  test(`${name}: only the low 32 bits of a seed count`, () => {
    const words = (seed: number | bigint) => nextWords(new Generator(seed));
    const same32: (number | bigint)[][] = [
      [0, 0n, -0, 2 ** 32, 2n ** 32n, 2n ** 63n, -(2n ** 63n), -(2 ** 32)],
      [42, 42n, 42 + 2 ** 32, 42n + 2n ** 63n],
      [-1, -1n, 2 ** 32 - 1, 2n ** 64n - 1n],
      [2 ** 53 - 1, 2n ** 53n - 1n, 0xffffffff],
    ];
    for (const seeds of same32) {
      for (const seed of seeds) {
        assert.equal(words(seed), words(seeds[0]!), `${seed}`);
        assert.equal(words(seed), new TorchRandom(Number(BigInt.asUintN(32, BigInt(seed)))).randint(0, 2 ** 20, 4));
      }
    }
    assert.not.equal(words(0), words(1));
  });

  test(`${name}: a seed is told as an unsigned number of 64 bits`, () => {
    assert.is(new Generator().initialSeed, 67280421310721n);
    assert.is(new Generator(5).initialSeed, 5n);
    assert.is(new Generator(-1).initialSeed, 18446744073709551615n);
    assert.is(new Generator(2n ** 63n).initialSeed, 2n ** 63n);
    assert.is(new Generator(-(2n ** 63n)).initialSeed, 2n ** 63n);
    const generator = new Generator(1);
    assert.is(generator.manualSeed(7), generator);
    assert.is(generator.initialSeed, 7n);
    for (const seed of [2n ** 64n, -(2n ** 63n) - 1n, 2 ** 53, 0.5, NaN, Infinity]) {
      assert.throws(
        () => generator.manualSeed(seed),
        (error: unknown) => error instanceof RangeError && /"seed"/.test(error.message),
      );
    }
    assert.is(generator.initialSeed, 7n);
    assert.equal(nextWords(generator), nextWords(new Generator(7)), "a refused seed leaves the generator as it was");
  });

  test(`${name}: a seed of chance is told and can be used again`, () => {
    const generator = new Generator();
    const seeds = Array.from({ length: 8 }, () => generator.seed());
    assert.is(new Set(seeds).size, seeds.length);
    assert.ok(seeds.some((seed) => seed >= 2n ** 32n));
    assert.is(generator.initialSeed, seeds.at(-1));
    assert.equal(nextWords(generator), nextWords(new Generator(seeds.at(-1)!)));
  });

  test(`${name}: manualSeed starts again, without the second half of a pair`, () => {
    const generator = new Generator(9);
    generator.randn([3]);
    assert.ok(same(generator.manualSeed(9).randn([33]).data, new TorchRandom(9).randn(33)));
    generator.randn([1]);
    assert.ok(same(generator.manualSeed(9).randn([1]).data, new TorchRandom(9).randn(1)));
  });

  test(`${name}: a state has torch's layout`, () => {
    const seed = -5n;
    const generator = new Generator(seed);
    const fields = () => {
      const view = new DataView(generator.getState().buffer);
      return {
        seed: view.getBigUint64(AT.seed, true),
        left: view.getInt32(AT.left, true),
        seeded: view.getInt32(AT.seeded, true),
        next: view.getUint32(AT.next, true),
        words: Array.from({ length: 624 }, (_, i) => Number(view.getBigUint64(AT.words + 8 * i, true))),
        cached: view.getFloat64(AT.cached, true),
        hasCached: view.getInt32(AT.hasCached, true),
      };
    };
    const torch = new TorchRandom(Number(BigInt.asUintN(32, seed)));
    const common = { seed: BigInt.asUintN(64, seed), seeded: 1, cached: 0, hasCached: 0 };
    assert.is(generator.getState().length, AT.end);
    assert.equal(fields(), { ...common, left: 1, next: 0, words: Array.from(torch.words) });
    for (const drawn of [1, 622, 1, 1, 700]) {
      generator.rand([drawn]);
      torch.rand(drawn, "float32");
      assert.equal(fields(), { ...common, left: 625 - torch.next, next: torch.next, words: Array.from(torch.words) });
    }
    const [first, second] = new TorchRandom(11).randn(2);
    generator.manualSeed(11);
    assert.is(generator.randn([1]).data[0], first);
    const { cached, hasCached } = fields();
    assert.is(hasCached, 1);
    assert.is(Math.fround(cached), second);
    assert.is.not(cached, second, "the second half of a pair is kept in float64");
    assert.is(generator.randn([1]).data[0], second);
    assert.equal([fields().hasCached, fields().cached], [0, 0], "nothing is left of what was taken");
  });

  test(`${name}: a state made elsewhere is taken`, () => {
    const state = new Uint8Array(AT.end);
    const view = new DataView(state.buffer);
    view.setBigUint64(AT.seed, 2n ** 64n - 3n, true);
    view.setInt32(AT.left, 3, true);
    view.setInt32(AT.seeded, 1, true);
    view.setUint32(AT.next, 622, true);
    for (let i = 0; i < 624; i++) view.setUint32(AT.words + 8 * i, untempered(i * 1000), true);
    view.setFloat64(AT.cached, 1.25, true);
    view.setInt32(AT.hasCached, 1, true);
    const generator = new Generator();
    assert.is(generator.setState(state), generator);
    assert.is(generator.initialSeed, 2n ** 64n - 3n);
    assert.equal(generator.getState(), state);
    assert.is(generator.randn([1]).data[0], 1.25);
    assert.equal(Array.from(generator.randint(0, 2 ** 27, [2])), [622000, 623000]);
    // Beyond that the words are renewed.
    const torch = new TorchRandom(0);
    torch.words.set(Array.from({ length: 624 }, (_, i) => untempered(i * 1000)));
    torch.next = 624;
    assert.equal(nextWords(generator), torch.randint(0, 2 ** 20, 4));
  });

  test(`${name}: what is no state is refused, and the generator goes on as before`, () => {
    const generator = new Generator(12);
    generator.randn([3]);
    const twin = generator.clone();
    const damaged = (at: number, value: number) => {
      const state = generator.getState();
      new DataView(state.buffer).setInt32(at, value, true);
      return state;
    };
    for (const state of [
      new Uint8Array(0),
      new Uint8Array(AT.end),
      new Uint8Array(AT.end - 1),
      new Uint8Array(AT.end + 1),
      damaged(AT.left, 0),
      damaged(AT.left, -1),
      damaged(AT.left, 626),
      damaged(AT.next, 625),
      damaged(AT.next, -1),
    ]) {
      assert.throws(
        () => generator.setState(state),
        (error: unknown) => error instanceof RangeError && /"state"/.test(error.message),
      );
    }
    assert.throws(
      () => generator.setState([] as never),
      (error: unknown) => error instanceof TypeError && /"state"/.test(error.message),
    );
    assert.equal(generator.getState(), twin.getState());
    assert.equal(generator.randn([20]).data, twin.randn([20]).data);
  });

  test(`${name}: a clone goes on apart from its original`, () => {
    const generator = new Generator(13);
    generator.randn([7]);
    const twin = generator.clone();
    assert.is(twin.initialSeed, 13n);
    const ahead = generator.randn([2000]).data;
    assert.equal(twin.randn([2000]).data, ahead);
    generator.manualSeed(1);
    assert.is(twin.initialSeed, 13n);
    assert.not.equal(nextWords(twin), nextWords(generator));
  });
}

test.run();
