// The SIMD and the scalar module give the same bits, whatever they are asked for.

import * as fc from "./fast-check.js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { StepOptions, StepResult } from "ddim-wasm";
import { implementations, type Library } from "./implementations.js";
import { assertSameBits, type Data, type DType, emptyData, normalData } from "./tensors.js";

// Around the sizes of vectors, of the unrolled loops, of torch's blocks of 16, and of a staged piece.
const LENGTHS = [0, 1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 1000, 16399, 16400, 16401, 16415, 16417, 40000];

// prettier-ignore
const SPECIAL_FLOATS = new Float32Array([
  NaN, Infinity, -Infinity, 0, -0, 2 ** -149, -(2 ** -149), 1e-40, 2 ** -126, 3.4e38, -3.4e38, 1e20, 65504, 65519.996,
  65520, 2 ** -24, 2 ** -25, 1.0000001, -0.99999994,
]);
const SPECIAL_HALVES = new Uint16Array([
  0x7e00, 0x7c01, 0xfe01, 0x7c00, 0xfc00, 0x0000, 0x8000, 0x0001, 0x8001, 0x03ff, 0x0400, 0x7bff, 0xfbff, 0x3c01,
]);

/** Inputs of a call: seeded normal values at an odd place, some of them replaced by special ones. */
interface Inputs {
  type: DType;
  seed: number;
  offset: number;
  specials: [place: number, which: number][];
}

const type = fc.constantFrom<DType>("float32", "float16");
const inputs: fc.Arbitrary<Inputs> = fc.record({
  type,
  seed: fc.nat(),
  offset: fc.nat(3),
  specials: fc.oneof(
    { weight: 2, arbitrary: fc.constant<Inputs["specials"]>([]) },
    fc.array(fc.tuple(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), fc.nat(100)), { maxLength: 9 }),
  ),
});

function makeInput({ type, seed, offset, specials }: Inputs, argument: number, length: number): Data {
  const data = normalData(seed + argument, length, type, offset);
  const values = type === "float32" ? SPECIAL_FLOATS : SPECIAL_HALVES;
  specials.forEach(([place, which], i) => {
    if (i % 3 === argument && length > 0) data[Math.floor(place * length)] = values[which % values.length]!;
  });
  return data;
}

/** Runs `call` on both implementations and compares all it returns. */
function compare(call: (library: Library) => (Data | Uint8Array)[]): void {
  const [simd, scalar] = [call(implementations.simd), call(implementations.scalar)];
  simd.forEach((result, i) => {
    if (result instanceof Uint8Array) assert.equal(result, scalar[i], `state ${i}`);
    else assertSameBits(result, scalar[i] as Data, `result ${i}`);
  });
}

const steps = fc.record({
  inputs,
  config: fc.record({
    betaSchedule: fc.constantFrom("linear", "scaled_linear", "squaredcos_cap_v2", "sigmoid"),
    predictionType: fc.constantFrom("epsilon", "sample", "v_prediction"),
    clipSample: fc.boolean(),
    clipSampleRange: fc.constantFrom(1, 0.1, 3),
    thresholding: fc.boolean(),
    dynamicThresholdingRatio: fc.constantFrom(0.995, 0.5, 1, 1e-9),
    sampleMaxValue: fc.constantFrom(1, 1.5, 1e6),
    setAlphaToOne: fc.boolean(),
    computeDtype: fc.constantFrom("float32", "float16"),
  }),
  batch: fc.nat(3),
  timesteps: fc.tuple(fc.nat(999), fc.nat(999), fc.nat(999)),
  timestepEach: fc.boolean(),
  eta: fc.constantFrom(0, 0.3, 1),
  noise: fc.constantFrom("generator", "generators", "varianceNoise"),
  drawnBefore: fc.nat(40),
  guidanceScale: fc.constantFrom(undefined, 0, 1, 7.5),
  guidanceRescale: fc.constantFrom(0, 0.7, 1),
  useClippedModelOutput: fc.boolean(),
  returnDict: fc.boolean(),
  out: fc.constantFrom("none", "separate", "sample", "modelOutput"),
});

for (const length of LENGTHS) {
  test(`steps on batch elements of ${length} values are the same in SIMD and scalar`, () => {
    fc.assert(
      fc.property(steps, ({ inputs, config, batch, ...given }) => {
        const total = batch * length;
        const guided = given.guidanceScale !== undefined;
        compare(({ DDIMScheduler, Generator }) => {
          const scheduler = new DDIMScheduler(config);
          scheduler.setTimesteps(20);
          const dims = [batch, length];
          const tensor = (data: Data, dims: number[]) => ({ data, dims });
          const sample = tensor(makeInput(inputs, 0, total), dims);
          const modelOutput = guided
            ? tensor(makeInput(inputs, 1, 2 * total), [2 * batch, length])
            : tensor(makeInput(inputs, 1, total), dims);
          const generators = Array.from({ length: given.noise === "generators" ? batch : 1 }, (_, i) => {
            const generator = new Generator(inputs.seed + i);
            generator.randn([given.drawnBefore]);
            return generator;
          });
          const outs = {
            none: undefined,
            separate: tensor(emptyData(total, inputs.type, inputs.offset), dims),
            sample,
            modelOutput: tensor(modelOutput.data.subarray(0, total), dims),
          };
          const options: StepOptions = {
            eta: given.eta,
            ...(given.noise === "varianceNoise"
              ? { varianceNoise: tensor(makeInput(inputs, 2, total), dims) }
              : { generator: given.noise === "generators" ? generators : generators[0] }),
            guidanceScale: given.guidanceScale,
            guidanceRescale: guided ? given.guidanceRescale : 0,
            useClippedModelOutput: given.useClippedModelOutput,
            returnDict: given.returnDict,
            out: outs[given.out],
          };
          const timestep = given.timestepEach ? given.timesteps.slice(0, batch) : given.timesteps[0];
          const states = () => generators.map((generator) => generator.getState());
          const result = scheduler.step(modelOutput, sample, timestep, options) as
            typeof sample | StepResult<typeof sample>;
          const results = "prevSample" in result ? [result.prevSample, result.predOriginalSample] : [result];
          return [...results.map(({ data }) => data), ...states()];
        });
      }),
      { seed: length + 1, numRuns: 40 },
    );
  });

  test(`inverse steps on batch elements of ${length} values are the same in SIMD and scalar`, () => {
    fc.assert(
      fc.property(steps, ({ inputs, config, batch, guidanceScale, guidanceRescale, timesteps }) => {
        const total = batch * length;
        compare(({ DDIMInverseScheduler }) => {
          const scheduler = new DDIMInverseScheduler({ ...config, thresholding: false, setAlphaToOne: false });
          scheduler.setTimesteps(20);
          const x = makeInput(inputs, 0, total);
          const m = makeInput(inputs, 1, guidanceScale === undefined ? total : 2 * total);
          const result = scheduler.step(m, x, timesteps.slice(0, batch), {
            ...(guidanceScale === undefined ? {} : { guidanceScale, guidanceRescale }),
            returnDict: true,
          });
          return [result.prevSample, result.predOriginalSample];
        });
      }),
      { seed: length + 1, numRuns: 10 },
    );
  });

  test(`noising and velocity of batch elements of ${length} values are the same in SIMD and scalar`, () => {
    const combinations = fc.record({
      inputs,
      computeDtype: fc.constantFrom("float32", "float16"),
      timesteps: fc.array(fc.nat(999), { minLength: 1, maxLength: 3 }),
    });
    fc.assert(
      fc.property(combinations, ({ inputs, computeDtype, timesteps }) => {
        compare(({ DDIMScheduler }) => {
          const scheduler = new DDIMScheduler({ computeDtype });
          const [x, noise] = [0, 1].map((argument) => makeInput(inputs, argument, timesteps.length * length)) as [
            Data,
            Data,
          ];
          return [scheduler.addNoise(x, noise, timesteps), scheduler.getVelocity(x, noise, timesteps)];
        });
      }),
      { seed: length + 1, numRuns: 10 },
    );
  });
}

test("sequences of draws are the same in SIMD and scalar, and leave the generators the same", () => {
  const draw = fc.record({
    kind: fc.constantFrom("randn", "rand", "randint", "wide randint"),
    length: fc.oneof(fc.constantFrom(...LENGTHS), fc.nat(700)),
    offset: fc.nat(3),
    type,
  });
  fc.assert(
    fc.property(fc.bigInt(-(1n << 63n), (1n << 64n) - 1n), fc.array(draw, { maxLength: 8 }), (seed, draws) => {
      compare(({ Generator }) => {
        const generator = new Generator(seed);
        const drawn = draws.map(({ kind, length, offset, type }) => {
          if (kind === "randint") return new Float32Array(generator.randint(-5, 995, [length]));
          if (kind === "wide randint") return new Uint16Array(generator.randint(0n, 1n << 40n, [length]).buffer);
          const out = emptyData(length, type, offset);
          generator[kind]([length], { type, out });
          return out;
        });
        return [...drawn, generator.getState()];
      });
    }),
    { seed: 1, numRuns: 300 },
  );
});

test.run();
