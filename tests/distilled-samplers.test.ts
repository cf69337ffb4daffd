// LCM and TCD beyond single steps' numbers: noise, last steps, what predOriginalSample is, kinds of tensors.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { implementations } from "./implementations.js";
import { assertSameBits, normalTensor } from "./tensors.js";

const { allocate, DDIMScheduler, Generator, LCMScheduler, TCDScheduler } = implementations.simd;
const DIMS = [3, 2, 5, 7];
const [x, m, z] = [normalTensor(1, DIMS), normalTensor(2, DIMS), normalTensor(3, DIMS)];

// As one type: steps of classes in a union have no signature in common.
const CLASSES = { LCM: LCMScheduler, TCD: TCDScheduler as unknown as typeof LCMScheduler };

for (const [name, Class] of Object.entries(CLASSES)) {
  const make = () => {
    const scheduler = new Class();
    scheduler.setTimesteps(4);
    return scheduler;
  };

  test(`${name}: one draw of the sample's dims a step, none on the last`, () => {
    const scheduler = make();
    const [generator, expected] = [new Generator(7), new Generator(7)];
    for (const t of scheduler.timesteps) {
      const isLast = t === scheduler.timesteps.at(-1);
      const noise = isLast ? undefined : expected.randn(DIMS);
      const drawn = scheduler.step(m, x, t, { generator });
      assert.equal(generator.getState(), expected.getState(), `${t}`);
      if (noise) assertSameBits(drawn.data, scheduler.step(m, x, t, { varianceNoise: noise }).data);
    }
    // A negative prevTimestep makes any step the last, and a list of one has no other.
    scheduler.step(m, x, 999, { generator, prevTimestep: -1 });
    scheduler.setTimesteps([500]);
    scheduler.step(m, x, 500, { generator });
    scheduler.step(m, x, 500, { generator, prevTimestep: [-1, -2, -1] });
    assert.equal(generator.getState(), expected.getState());
    // Timestep 0 is not beyond the end.
    scheduler.step(m, x, 500, { generator, prevTimestep: 0 });
    expected.randn(DIMS);
    assert.equal(generator.getState(), expected.getState());
    // Without a generator there is one all the same, and a last step is no occasion to make it.
    assert.ok(make().step(m, x, 999).data.every(Number.isFinite));
  });

  test(`${name}: generators of their own, and halves`, () => {
    const scheduler = make();
    const generators = () => [5, 6, 7].map((seed) => new Generator(seed));
    const data = generators().flatMap((generator) => [...generator.randn([1, ...DIMS.slice(1)]).data]);
    const varianceNoise = { data: Float32Array.from(data), dims: DIMS };
    const expected = scheduler.step(m, x, 999, { varianceNoise });
    assertSameBits(scheduler.step(m, x, 999, { generator: generators() }).data, expected.data);
    const halves = [1, 2].map((seed) => normalTensor(seed, DIMS, "float16"));
    const noise = new Generator(4).randn(DIMS, { type: "float16" });
    const drawn = scheduler.step(halves[0]!, halves[1]!, 999, { generator: new Generator(4) });
    assert.is(drawn.type, "float16");
    assertSameBits(drawn.data, scheduler.step(halves[0]!, halves[1]!, 999, { varianceNoise: noise }).data);
  });

  test(`${name}: where some of a batch are last, all draw and none of them is noised`, () => {
    const scheduler = make();
    const [first, last] = [scheduler.timesteps[0]!, scheduler.timesteps[3]!];
    const { data } = scheduler.step(m, x, [first, last, first], { varianceNoise: z });
    const alone = (t: number, i: number) => {
      const part = (tensor: typeof x) => tensor.data.slice(70 * i, 70 * (i + 1));
      return scheduler.step(part(m), part(x), t, { varianceNoise: part(z) });
    };
    [first, last, first].forEach((t, i) => assertSameBits(data.slice(70 * i, 70 * (i + 1)), alone(t, i)));
    const generator = new Generator(1);
    scheduler.step(m, x, [first, last, first], { generator });
    const expected = new Generator(1);
    expected.randn(DIMS);
    assert.equal(generator.getState(), expected.getState());
  });

  test(`${name}: results in the place of an input, resident or not`, () => {
    const scheduler = make();
    for (const dims of [DIMS, [1, 50000]]) {
      const [a, b] = [normalTensor(1, dims), normalTensor(2, dims)];
      const step = (options: object) => scheduler.step(b, a, 759, { generator: new Generator(2), ...options });
      const expected = step({ returnDict: true }) as unknown as { prevSample: typeof a; predOriginalSample: typeof a };
      assertSameBits(step({}).data, expected.prevSample.data);
      const resident = allocate(dims);
      resident.data.set(a.data);
      const options = { generator: new Generator(2), returnDict: true, out: resident } as const;
      const inPlace = scheduler.step(b, resident, 759, options);
      assert.is(inPlace.prevSample, resident);
      assertSameBits(resident.data, expected.prevSample.data);
      assertSameBits(inPlace.predOriginalSample.data, expected.predOriginalSample.data);
      resident.free();
      const copy = { ...b, data: b.data.slice() };
      scheduler.step(copy, a, 759, { generator: new Generator(2), returnDict: true, out: copy });
      assertSameBits(copy.data, expected.prevSample.data);
    }
  });

  test(`${name}: guidance is that of the guided output`, () => {
    const scheduler = make();
    const doubled = { data: Float32Array.of(...m.data, ...z.data), dims: [6, ...DIMS.slice(1)] };
    const guided = { ...m, data: m.data.map((uncond, i) => uncond + 3 * (z.data[i]! - uncond)) };
    const options = { varianceNoise: normalTensor(4, DIMS) };
    const actual = scheduler.step(doubled, x, 499, { ...options, guidanceScale: 3, returnDict: true });
    const expected = scheduler.step(guided, x, 499, { ...options, returnDict: true });
    for (const name of ["prevSample", "predOriginalSample"] as const) {
      const worst = actual[name].data.reduce((most, v, i) => Math.max(most, Math.abs(v - expected[name].data[i]!)), 0);
      assert.ok(worst < 1e-5, `${name}: ${worst}`);
    }
  });

  test(`${name}: zero SNR is no place for epsilon, and one for v_prediction`, () => {
    for (const predictionType of ["epsilon", "sample", "v_prediction"] as const) {
      const scheduler = new Class({ rescaleBetasZeroSnr: true, predictionType });
      scheduler.setTimesteps(4);
      const step = () => scheduler.step(m, x, 999, { varianceNoise: z });
      if (predictionType === "epsilon") assert.throws(step, /"timestep".*no signal is left/);
      else assert.ok(step().data.every(Number.isFinite));
    }
  });

  test(`${name}: before setTimesteps, off the list, and options of other samplers`, () => {
    const scheduler = new Class();
    assert.throws(() => scheduler.step(m, x, 999), /call setTimesteps first/);
    assert.ok(scheduler.step(m, x, 999, { prevTimestep: 500 }).data.every(Number.isFinite));
    scheduler.setTimesteps(4);
    assert.throws(() => scheduler.step(m, x, 998), /"timestep" expected one of scheduler.timesteps/);
    assert.throws(() => scheduler.step(m, x, 999, { useClippedModelOutput: true } as never), /has no option/);
    assert.throws(() => new Class({ previousTimestep: "stride" } as never), /has no option "previousTimestep"/);
  });
}

test("LCM: predOriginalSample is what a last step gives, clipped or not", () => {
  for (const options of [{}, { clipSample: true }, { thresholding: true }, { timestepScaling: 0.001 }]) {
    const scheduler = new LCMScheduler(options);
    scheduler.setTimesteps(4);
    for (const t of scheduler.timesteps) {
      const { predOriginalSample } = scheduler.step(m, x, t, { varianceNoise: z, returnDict: true });
      const last = scheduler.step(m, x, t, { prevTimestep: -1, returnDict: true });
      assertSameBits(predOriginalSample.data, last.prevSample.data);
      assertSameBits(last.predOriginalSample.data, last.prevSample.data);
    }
  }
});

test("LCM: at timestep 0 the sample itself is the image", () => {
  const scheduler = new LCMScheduler();
  scheduler.setTimesteps([500, 0]);
  assertSameBits(scheduler.step(m, x, 0).data, x.data);
});

test("TCD: eta 0 is DDIM on the list, with the last step to timestep 0, and eta 1 LCM without its boundary", () => {
  const options = { betaSchedule: "scaled_linear", betaStart: 0.00085, betaEnd: 0.012, clipSample: false } as const;
  const [tcd, ddim] = [new TCDScheduler(), new DDIMScheduler({ ...options, setAlphaToOne: false })];
  tcd.setTimesteps(8);
  ddim.setTimesteps(tcd.timesteps);
  for (const t of tcd.timesteps) {
    const [actual, expected] = [
      tcd.step(m, x, t, { eta: 0, returnDict: true }),
      ddim.step(m, x, t, { returnDict: true }),
    ];
    assertSameBits(actual.prevSample.data, expected.prevSample.data);
    assertSameBits(actual.predOriginalSample.data, expected.predOriginalSample.data);
  }
  assert.is(tcd.finalAlphaCumprod, tcd.alphasCumprod[0]);
  assert.is(new TCDScheduler({ setAlphaToOne: false }).finalAlphaCumprod, tcd.alphasCumprod[0]);
  assert.is(new LCMScheduler().finalAlphaCumprod, 1);
  assert.throws(() => tcd.step(m, x, 999, { eta: 1.5 }), /"eta" expected a number in \[0, 1\]/);
});

test("TCD: s is that of float32, in which (1 - eta) p is whole where it should be", () => {
  const scheduler = new TCDScheduler();
  scheduler.setTimesteps(4);
  // Of x_0 = 1 and eps = 0 a step leaves sqrt(a_p), of x_0 = 0 and eps = 1 sqrt(a_p / a_s - a_p).
  const { alphasCumprod: alphas } = scheduler;
  for (const [eta, p, s] of [
    [0.3, 10, 7],
    [0.3, 90, 63],
    [0.3, 499, 349],
    [0.8, 5, 1],
    [0.9, 10, 1],
    [1, 500, 0],
    [0, 500, 500],
  ] as const) {
    const sample = Float32Array.of(Math.sqrt(1 - alphas[999]!));
    const varianceNoise = Float32Array.of(0);
    const [prev] = scheduler.step(Float32Array.of(1), sample, 999, { eta, prevTimestep: p, varianceNoise });
    const expected = Math.sqrt(alphas[p]! / alphas[s]! - alphas[p]!);
    assert.ok(Math.abs(prev! - expected) < 1e-6, `${eta} ${p}: ${prev} instead of ${expected}`);
  }
});

test("TCD: eta is 0.3 where it is left out", () => {
  const scheduler = new TCDScheduler();
  scheduler.setTimesteps(4);
  const step = (eta?: number) => scheduler.step(m, x, 999, { eta, varianceNoise: z }).data;
  assertSameBits(step(), step(0.3));
  assert.not.equal(step(), step(0.2));
});

test.run();
