import type { DType, StepOptions } from "ddim-wasm";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { implementations } from "./implementations.js";

/** Sizes around vectors and pieces. */
const LENGTHS = [1, 15, 16, 17, 1000, 16399, 16400, 16401, 50000];

for (const [name, { allocate, DDIMScheduler, Generator }] of Object.entries(implementations)) {
  const schedulers = {
    clipped: new DDIMScheduler(),
    linear: new DDIMScheduler({ clipSample: false }),
    thresholded: new DDIMScheduler({ thresholding: true }),
    rounded: new DDIMScheduler({ computeDtype: "float16" }),
  };

  /** The values of a seed in memory of one's own, and resident. */
  function draw(seed: number, dims: number[], type: DType) {
    const outside = new Generator(seed).randn(dims, { type });
    const inside = allocate(dims, type);
    assert.is(new Generator(seed).randn(dims, { type, out: inside }), inside);
    assert.equal(inside.data, outside.data);
    return { outside, inside };
  }

  for (const [kind, scheduler] of Object.entries(schedulers)) {
    scheduler.setTimesteps(20);
    for (const type of ["float32", "float16"] as const) {
      test(`${name}: ${kind} steps on resident ${type} tensors equal those on others`, () => {
        for (const length of LENGTHS) {
          const x = draw(1, [1, length], type);
          const m = draw(2, [1, length], type);
          const doubled = draw(3, [2, length], type);
          const out = allocate([1, length], type);
          const cases: [typeof m, () => StepOptions][] = [
            [m, () => ({})],
            [m, () => ({ eta: 1, generator: new Generator(4) })],
            [m, () => ({ eta: 0.5, varianceNoise: m.inside })],
            [doubled, () => ({ guidanceScale: 3, guidanceRescale: 0.5 })],
          ];
          for (const [output, options] of cases) {
            const expected = scheduler.step(output.outside.data, x.outside.data, 500, options());
            for (const modelOutput of [output.inside, output.outside]) {
              scheduler.step(modelOutput, x.inside.data, 500, { ...options(), out });
              assert.equal(out.data, expected, `${length} elements, into resident memory`);
              // A bare doubled model output is refused beside a sample with dims.
              const told = output === doubled && modelOutput !== output.inside ? output.outside : modelOutput;
              const outside = scheduler.step(told, x.inside, 500, options()) as { data: unknown };
              assert.equal(outside.data, expected, `${length} elements, out of it`);
            }
          }
          scheduler.step(m.inside, x.inside, 500, { out: x.inside });
          assert.equal(x.inside.data, scheduler.step(m.outside.data, x.outside.data, 500), "in place");
          for (const tensor of [x.inside, m.inside, doubled.inside, out]) tensor.free();
        }
      });
    }
  }

  test(`${name}: a batch with a timestep per element, in place`, () => {
    const dims = [3, 12345];
    const x = draw(1, dims, "float32");
    const m = draw(2, dims, "float32");
    const expected = schedulers.clipped.step(m.outside, x.outside, [900, 500, 0]);
    schedulers.clipped.step(m.inside, x.inside, [900, 500, 0], { out: x.inside });
    assert.equal(x.inside.data, expected.data);
    x.inside.free();
    m.inside.free();
  });

  test(`${name}: predOriginalSample beside a result in place, of more elements than a piece has`, () => {
    const dims = [1, 50001];
    const x = draw(1, dims, "float32");
    const m = draw(2, dims, "float32");
    const expected = schedulers.clipped.step(m.outside, x.outside, 500, { returnDict: true });
    const options = { out: x.inside, returnDict: true } as const;
    const { prevSample, predOriginalSample } = schedulers.clipped.step(m.inside, x.inside, 500, options);
    assert.equal(prevSample.data, expected.prevSample.data);
    assert.equal(predOriginalSample.data, expected.predOriginalSample.data);
    x.inside.free();
    m.inside.free();
  });

  test(`${name}: views are made anew when memory grows`, () => {
    const tensor = allocate([4]);
    tensor.data.set([1, 2, 3, 4]);
    const view = tensor.data;
    const large = allocate([1 << 22]);
    assert.is(view.length, 0, "memory has grown: the old view is detached");
    assert.equal(Array.from(tensor.data), [1, 2, 3, 4]);
    assert.is(tensor.data, tensor.data);
    assert.ok(large.data.every((value) => value === 0));
    tensor.free();
    large.free();
  });

  test(`${name}: freed memory is used again, and comes back as zeros`, () => {
    const sizes = new Set<number>();
    for (let i = 0; i < 200; i++) {
      const tensor = allocate([1 << 20]);
      sizes.add(tensor.data.buffer.byteLength);
      assert.ok(tensor.data[i] === 0 && tensor.data.at(-1) === 0);
      tensor.data.fill(1);
      tensor.free();
    }
    assert.is(sizes.size, 1);
  });

  test(`${name}: a freed tensor is refused, and freeing twice does nothing`, () => {
    const tensor = allocate([4]);
    const other = new Float32Array(4);
    tensor.free();
    tensor.free();
    const next = allocate([4]);
    assert.throws(() => tensor.data, /has been freed/);
    assert.throws(() => schedulers.linear.step(other, tensor, 500), /has been freed/);
    assert.throws(() => schedulers.linear.step(other, other, 500, { out: tensor }), /has been freed/);
    assert.equal(Array.from(next.data), [0, 0, 0, 0]);
    next.free();
  });

  test(`${name}: a second free leaves what has been allocated since alone`, () => {
    const tensor = allocate([1000]);
    tensor.free();
    const next = allocate([1000]);
    tensor.free();
    const others = [allocate([1000]), allocate([1000])];
    next.data.fill(1);
    for (const other of others) assert.ok(other.data.every((value) => value === 0));
    for (const each of [next, ...others]) each.free();
  });

  test(`${name}: noise in the result's place is read before that is written`, () => {
    for (const type of ["float32", "float16"] as const) {
      for (const length of LENGTHS) {
        const [x, m, z] = [draw(1, [1, length], type), draw(2, [1, length], type), draw(3, [1, length], type)];
        const expected = schedulers.linear.step(m.outside, x.outside, 500, { eta: 1, varianceNoise: z.outside });
        const options = { eta: 1, varianceNoise: z.inside, out: z.inside };
        schedulers.linear.step(m.inside, x.inside, 500, options);
        assert.equal(z.inside.data, expected.data, `${length} ${type}`);
        for (const { inside } of [x, m, z]) inside.free();
      }
    }
  });

  test(`${name}: what cannot be allocated is refused, and everything goes on`, () => {
    const expectations: [() => unknown, RegExp][] = [
      [() => allocate([(1 << 28) + 1]), /"dims" expected at most 1073741824 bytes/],
      [() => allocate([]), /"dims" expected at least one dimension/],
      [() => allocate([-1]), /"dims" expected an array of integers >= 0/],
      [() => allocate(4 as never), /"dims" expected an array/],
      [() => allocate([4], "int8" as never), /"type" expected one of "float32", "float16"/],
    ];
    for (const [call, message] of expectations) assert.throws(call, message);
    assert.is(allocate([0]).data.length, 0);
  });

  test(`${name}: a tensor's buffer stays when it is transferred, and everything goes on`, () => {
    const tensor = allocate([4]);
    const { buffer } = tensor.data;
    try {
      structuredClone(buffer, { transfer: [buffer as ArrayBuffer] });
    } catch {
      // Some engines refuse, others make a copy.
    }
    assert.is.not(buffer.byteLength, 0);
    new Generator(0).randn([4], { out: tensor });
    assert.equal(tensor.data, new Generator(0).randn([4]).data);
    tensor.free();
  });

  test(`${name}: symbols of disposal, where the engine has them`, () => {
    const { dispose } = Symbol as { dispose?: symbol };
    if (!dispose) return console.log("this engine has no Symbol.dispose: nothing to test");
    const tensor = allocate([4]) as unknown as Record<symbol, () => void> & { data: unknown };
    tensor[dispose]!();
    assert.throws(() => tensor.data, /has been freed/);
  });
}

test("memory that runs out is an error, after which everything goes on", () => {
  const { allocate, DDIMScheduler } = implementations.simd;
  const tensors = [];
  let error: unknown;
  try {
    for (;;) tensors.push(allocate([1 << 28]));
  } catch (caught) {
    error = caught;
  }
  assert.instance(error, RangeError);
  assert.match((error as RangeError).message, "no memory left for a resident tensor of 1073741824 bytes");
  for (const tensor of tensors) tensor.free();
  const scheduler = new DDIMScheduler();
  scheduler.setTimesteps(20);
  assert.is(scheduler.step(new Float32Array(4), new Float32Array(4), 500).length, 4);
  allocate([1 << 20]).free();
});

test("a tensor of another copy of the library is refused", () => {
  const { simd, scalar } = implementations;
  const scheduler = new simd.DDIMScheduler();
  scheduler.setTimesteps(20);
  const foreign = scalar.allocate([4]);
  assert.throws(
    () => scheduler.step(new Float32Array(4), foreign, 500),
    /"sample" expected a resident tensor of this copy/,
  );
  foreign.free();
});

test.run();
