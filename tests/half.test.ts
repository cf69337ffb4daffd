import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import * as fc from "./fast-check.js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { halfDistance, halfToNumber, numberToHalf } from "./binary16.js";
import { describeCase, float64, halves, readGolden } from "./golden.js";
import { implementations } from "./implementations.js";

const resolve = createRequire(import.meta.url).resolve;

test("the oracle of these tests agrees with itself on every half", () => {
  for (let bits = 0; bits < 65536; bits++) {
    const isNaN = (bits & 0x7fff) > 0x7c00;
    assert.is(numberToHalf(halfToNumber(bits)), isNaN ? 0x7e00 : bits);
  }
});

for (const file of ["core.wasm", "core.scalar.wasm"]) {
  test(`${file} decodes every half`, () => {
    const module = new WebAssembly.Module(readFileSync(resolve(`ddim-wasm/${file}`)));
    const core = new WebAssembly.Instance(module).exports as any;
    const length = 1024; // one exponent at a time: infinities and NaNs take another path
    const bits = new Uint16Array(core.memory.buffer, core.stage(1), length);
    const floats = new Float32Array(core.memory.buffer, core.stage(0), length);
    for (let start = 0; start < 65536; start += length) {
      bits.forEach((_, i) => (bits[i] = start + i));
      core.decode(core.stage(0), core.stage(1), length);
      const wrong = floats.findIndex((value, i) => !Object.is(value, halfToNumber(start + i)));
      assert.is(wrong, -1);
    }
  });
}

for (const [name, { DDIMScheduler, Generator }] of Object.entries(implementations)) {
  test(`${name}: golden halves are at most a unit off, and nearly all exact`, () => {
    let values = 0;
    let off = 0;
    for (const golden of readGolden("half").cases) {
      const scheduler = DDIMScheduler.fromConfig(golden.config, {}, { onWarning() {} });
      scheduler.setTimesteps(golden.num_inference_steps);
      const tensor = (base64: string) => ({ data: halves(base64), dims: golden.shape as number[], type: "float16" });
      const { data } = scheduler.step(tensor(golden.model_output), tensor(golden.sample), golden.timestep, {
        eta: golden.eta,
        useClippedModelOutput: golden.use_clipped_model_output,
        varianceNoise: golden.variance_noise ? tensor(golden.variance_noise) : undefined,
      });
      const nearest = halves(golden.nearest_half);
      assert.equal(Array.from(nearest), Array.from(float64(golden.truth), numberToHalf), "the oracle");
      nearest.forEach((bits, i) => {
        const distance = halfDistance(bits, data[i]!);
        assert.ok(distance <= 1, `${describeCase(golden)}, element ${i}: ${distance} units off`);
        values++;
        if (distance > 0) off++;
      });
    }
    assert.ok(off / values < 0.005, `${off} of ${values} are off`);
  });

  // Any bits at all: NaNs, infinities, subnormal halves, zeros of both signs; and ordinary values more often.
  const half = fc.oneof(
    { arbitrary: fc.integer({ min: 0, max: 0xffff }), weight: 1 },
    { arbitrary: fc.double({ min: -4, max: 4, noNaN: true }).map(numberToHalf), weight: 8 },
    { arbitrary: fc.constantFrom(0, 0x8000, 1, 0x8001, 0x3ff, 0x7bff, 0xfbff, 0x7c00, 0xfc00, 0x7e00), weight: 1 },
  );
  const bitsOf = (length: number) =>
    fc.array(half, { minLength: length, maxLength: length }).map((bits) => Uint16Array.from(bits));
  const cases = fc.integer({ min: 1, max: 40 }).chain((length) =>
    fc.record({
      sample: bitsOf(length),
      modelOutput: bitsOf(2 * length),
      noise: bitsOf(length),
      guided: fc.boolean(),
      guidanceRescale: fc.constantFrom(0, 0.7),
      eta: fc.constantFrom(0, 0.5, 1),
      useClippedModelOutput: fc.boolean(),
      timestep: fc.integer({ min: 0, max: 999 }),
      config: fc.record({
        predictionType: fc.constantFrom("epsilon" as const, "sample" as const, "v_prediction" as const),
        clipSample: fc.boolean(),
        thresholding: fc.boolean(),
        sampleMaxValue: fc.constantFrom(1, 1.5),
      }),
    }),
  );

  test(`${name}: a step on halves is the float32 step on their values, rounded`, () => {
    fc.assert(
      fc.property(cases, (drawn) => {
        const scheduler = new DDIMScheduler(drawn.config);
        scheduler.setTimesteps(20);
        const { timestep, eta, useClippedModelOutput } = drawn;
        const guidance = drawn.guided ? { guidanceScale: 3, guidanceRescale: drawn.guidanceRescale } : {};
        const options = { eta, useClippedModelOutput, ...guidance, returnDict: true as const };
        const modelOutput = drawn.guided ? drawn.modelOutput : drawn.modelOutput.slice(0, drawn.sample.length);
        const widen = (bits: Uint16Array): Float32Array => Float32Array.from(bits, halfToNumber);

        const result = scheduler.step(modelOutput, drawn.sample, timestep, { ...options, varianceNoise: drawn.noise });
        const wide = scheduler.step(widen(modelOutput), widen(drawn.sample), timestep, {
          ...options,
          varianceNoise: widen(drawn.noise),
        });
        assert.equal(Array.from(result.prevSample), Array.from(wide.prevSample, numberToHalf));
        assert.equal(Array.from(result.predOriginalSample), Array.from(wide.predOriginalSample, numberToHalf));

        // computeDtype "float16" on floats: the same values, stored wide.
        const rounded = new DDIMScheduler({ ...drawn.config, computeDtype: "float16" });
        rounded.setTimesteps(20);
        const stored = rounded.step(widen(modelOutput), widen(drawn.sample), timestep, {
          ...options,
          varianceNoise: widen(drawn.noise),
        });
        assert.equal(Array.from(stored.prevSample), Array.from(result.prevSample, halfToNumber));
        assert.equal(Array.from(stored.predOriginalSample), Array.from(result.predOriginalSample, halfToNumber));
      }),
      { seed: 1, numRuns: 400 },
    );
  });

  test(`${name}: addNoise, getVelocity and noise for halves`, () => {
    const scheduler = new DDIMScheduler();
    scheduler.setTimesteps(20);
    const x = new Generator(1).randn([3, 37], { type: "float16" });
    const z = new Generator(2).randn([3, 37], { type: "float16" });
    const widen = ({ data }: { data: ArrayLike<number> }): Float32Array => Float32Array.from(data, halfToNumber);
    for (const method of ["addNoise", "getVelocity"] as const) {
      const { data, type } = scheduler[method](x, z, [0, 500, 999]);
      const wide = { data: widen(x), dims: x.dims };
      assert.is(type, "float16");
      assert.equal(
        Array.from(data),
        Array.from(scheduler[method](wide, widen(z), [0, 500, 999]).data, numberToHalf),
        method,
      );
    }
    // A step's own noise is torch's for the type: the last 16 of a size that 16 does not divide differ.
    const noise = new Generator(3).randn([3, 37], { type: "float16" });
    const drawn = scheduler.step(z, x, 500, { eta: 1, generator: new Generator(3) });
    assert.equal(drawn, scheduler.step(z, x, 500, { eta: 1, varianceNoise: noise }));

    const rounding = new DDIMScheduler({ computeDtype: "float16" });
    rounding.setTimesteps(20);
    const [wideX, wideZ, wideNoise] = [widen(x), widen(z), widen(noise)];
    assert.equal(
      rounding.step(wideZ, wideX, 500, { eta: 1, generator: new Generator(3) }),
      rounding.step(wideZ, wideX, 500, { eta: 1, varianceNoise: wideNoise }),
    );
  });

  test(`${name}: inputs of one call share a type`, () => {
    const scheduler = new DDIMScheduler();
    scheduler.setTimesteps(20);
    const floats = new Float32Array(4);
    const bits = new Uint16Array(4);
    assert.throws(() => scheduler.step(bits, floats, 500), /"modelOutput" expected float32 data as "sample" has/);
    assert.throws(() => scheduler.step(floats, floats, 500, { out: bits }), /"out" expected float32 data/);
    assert.throws(() => scheduler.step(bits, { data: bits, dims: [4], type: "uint16" }, 500), /"sample.type" expected/);
  });
}

test.run();
