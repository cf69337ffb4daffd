// Image-to-image and inpainting, against loops in float64.

import type { DDIMSchedulerOptions, PlainTensor } from "ddim-wasm";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { halfToNumber } from "./binary16.js";
import { relativeError } from "./golden.js";
import { implementations, pipelineOf } from "./implementations.js";
import { normalTensor } from "./tensors.js";

const { DiffusionPipeline, DDIMScheduler, Generator } = implementations.simd;

const share = 0.6;
const model = ({ data, dims }: { data: Float32Array; dims: number[] }) => ({
  data: data.map((value) => value * share),
  dims,
});

function makePipeline(options: DDIMSchedulerOptions = {}) {
  return new DiffusionPipeline({ scheduler: new DDIMScheduler({ clipSample: false, ...options }), model });
}

const DIMS = [2, 3, 4, 5];
const image = normalTensor(1, DIMS);

/** The levels of noise of a cosine schedule, in float64 from its formula. */
const alphas = (() => {
  const f = (u: number): number => Math.cos((((u + 0.008) / 1.008) * Math.PI) / 2) ** 2;
  let product = 1;
  return Array.from({ length: 1000 }, (_, i) => (product *= 1 - Math.min(1 - f((i + 1) / 1000) / f(i / 1000), 0.999)));
})();
const alphaAt = (t: number): number => (t < 0 ? 1 : alphas[t]!);
const noised = (x: number, z: number, t: number): number => Math.sqrt(alphaAt(t)) * x + Math.sqrt(1 - alphaAt(t)) * z;

/** The loop in float64: eps is a share of the sample. */
function loop(
  x: number,
  timesteps: number[],
  stride: number,
  keep: (x: number, t: number) => number = (v) => v,
): number {
  timesteps.forEach((t, i) => {
    const eps = Math.fround(x * share);
    const x0 = (x - Math.sqrt(1 - alphaAt(t)) * eps) / Math.sqrt(alphaAt(t));
    const p = t - stride;
    x = keep(noised(x0, eps, p), i + 1 < timesteps.length ? p : -1);
  });
  return x;
}

const leading = Array.from({ length: 20 }, (_, i) => 950 - 50 * i);

// Float32 roundings of twenty steps, each magnified by what is left of the schedule, stay well below this.
const TOLERANCE = 1e-5;

for (const strength of [0.1, 0.5, 0.75, 1]) {
  test(`image-to-image of strength ${strength} is the float64 loop`, async () => {
    const result = await makePipeline().run({
      sample: image,
      strength,
      generator: new Generator(2),
      numInferenceSteps: 20,
    });
    const noise = new Generator(2).randn(DIMS).data;
    const timesteps = leading.slice(-20 * strength);
    const expected = Float64Array.from(image.data, (x, i) => loop(noised(x, noise[i]!, timesteps[0]!), timesteps, 50));
    assert.ok(relativeError(result.data, expected) <= TOLERANCE, String(relativeError(result.data, expected)));
    assert.equal(result.dims, DIMS);
  });
}

test("exactSteps takes the next number of steps that there is", async () => {
  // With an offset of 3, 5 steps would begin at timestep 11 of 10, and 6 begin at 8; with 9, there is but one step.
  for (const [stepsOffset, strength, expected] of [
    [3, 0.6, [5, 4, 3]],
    [0, 0.6, [4, 2, 0]],
    [9, 0.9, [9]],
  ] as const) {
    const scheduler = new DDIMScheduler({ numTrainTimesteps: 10, stepsOffset });
    const timesteps: number[] = [];
    await new DiffusionPipeline({ scheduler, model }).run({
      sample: normalTensor(3, [1, 4]),
      strength,
      exactSteps: true,
      numInferenceSteps: expected.length,
      generator: new Generator(1),
      onStep: ({ timestep }) => timesteps.push(timestep),
    });
    assert.equal(timesteps, expected, `${stepsOffset}, ${strength}`);
  }
});

test("no strength fails, and each takes the steps it should", async () => {
  const small = normalTensor(3, [1, 4]);
  for (const numTrainTimesteps of [1000, 37]) {
    for (const timestepSpacing of ["linspace", "leading", "trailing"] as const) {
      for (const stepsOffset of [0, 1, 2]) {
        const pipeline = makePipeline({ numTrainTimesteps, timestepSpacing, stepsOffset });
        for (const steps of [1, 7, 20]) {
          for (const strength of [1e-6, 1 / numTrainTimesteps, 0.1, 0.3, 0.5, 0.7, 0.999999, 1]) {
            for (const exactSteps of [false, true]) {
              let count = 0;
              const options = { sample: small, strength, exactSteps, numInferenceSteps: steps, onStep: () => count++ };
              await pipeline.run({ ...options, generator: new Generator(1) });
              assert.is(count, exactSteps ? steps : Math.max(1, Math.floor(strength * steps)), JSON.stringify(options));
            }
          }
        }
      }
    }
  }
});

/** Masks of every shape that broadcasts, and the weight they give to element [b, c, h, w]. */
const MASKS: [dims: number[], weight: (b: number, c: number, h: number, w: number) => number][] = [
  [[4, 5], (_b, _c, h, w) => (h + w) % 2],
  [[1, 1, 4, 5], (_b, _c, h, w) => ((h * w) % 3 ? 1 : 0)],
  [[2, 1, 4, 5], (b, _c, h) => (b + h) % 2],
  [[3, 1, 1], (_b, c) => c % 2],
  [[1], () => 0],
  [[2, 3, 4, 5], (b, c, h, w) => ((b + 2 * c + 3 * h + 5 * w) % 8) / 8],
];

/** What `weight` is for each element of dims, of which those of size 1 are not looked at. */
function fill(
  dims: number[],
  weight: (b: number, c: number, h: number, w: number) => number,
): Float32Array<ArrayBuffer> {
  const shape = [...Array.from({ length: 4 - dims.length }, () => 1), ...dims] as [number, number, number, number];
  const values: number[] = [];
  for (let b = 0; b < shape[0]; b++) {
    for (let c = 0; c < shape[1]; c++) {
      for (let h = 0; h < shape[2]; h++) for (let w = 0; w < shape[3]; w++) values.push(weight(b, c, h, w));
    }
  }
  return Float32Array.from(values);
}

for (const [dims, weight] of MASKS) {
  for (const knownNoise of ["same", "fresh"] as const) {
    for (const start of [{ dims: DIMS }, { strength: 0.5 }] as ({ dims: number[] } | { strength: number })[]) {
      const steps = "strength" in start ? leading.slice(-10) : leading;
      test(`inpainting, mask [${dims}], ${knownNoise} noise, from ${Object.keys(start)}`, async () => {
        const mask = { data: fill(dims, weight), dims };
        const result = await makePipeline().run({
          ...start,
          known: image,
          mask,
          knownNoise,
          generator: new Generator(5),
          numInferenceSteps: 20,
        });
        const generator = new Generator(5);
        const noises = Array.from({ length: 20 }, () => generator.randn(DIMS).data);
        const weights = fill(DIMS, weight);
        const expected = Float64Array.from(image.data, (known, i) => {
          let drawn = 0;
          const z = (): number => noises[knownNoise === "fresh" ? ++drawn : 0]![i]!;
          const first = "strength" in start ? noised(known, noises[0]![i]!, steps[0]!) : noises[0]![i]!;
          return loop(first, steps, 50, (x, p) => {
            const kept = p < 0 ? known : noised(known, z(), p);
            return kept + weights[i]! * (x - kept);
          });
        });
        assert.ok(relativeError(result.data, expected) <= TOLERANCE, String(relativeError(result.data, expected)));
        weights.forEach((w, i) => w === 0 && assert.is(result.data[i], image.data[i], "what is known is exact"));
      });
    }
  }
}

test("inpainting halves keeps the known bits", async () => {
  const known = normalTensor(6, [1, 2, 4, 5], "float16");
  const data = Float32Array.from({ length: 20 }, (_, i) => i % 2);
  const pipeline = new DiffusionPipeline({ scheduler: new DDIMScheduler(), model: (sample: PlainTensor) => sample });
  const result = await pipeline.run({
    dims: known.dims,
    type: "float16",
    known,
    mask: { data, dims: [4, 5] },
    generator: new Generator(1),
    numInferenceSteps: 5,
  });
  known.data.forEach((bits, i) => (i % 20) % 2 === 0 && assert.is(result.data[i], bits));
  assert.ok(Array.from(result.data, halfToNumber).every(Number.isFinite));
});

for (const options of [
  { timestepSpacing: "trailing" },
  { timestepSpacing: "leading", stepsOffset: 100 },
  { timestepSpacing: "linspace", setAlphaToOne: false },
] as const) {
  test(`what is known is clean after the last step, wherever that leads: ${Object.values(options).join(", ")}`, async () => {
    const known = normalTensor(6, [1, 2, 4, 5]);
    const data = Float32Array.from({ length: 20 }, (_, i) => i % 2);
    const result = await makePipeline(options).run({
      dims: known.dims,
      known,
      mask: { data, dims: [4, 5] },
      generator: new Generator(1),
      numInferenceSteps: 7,
    });
    known.data.forEach((value, i) => i % 2 === 0 && assert.is(result.data[i], value));
  });
}

test("knownNoise and mask are nothing by themselves", async () => {
  const pipeline = makePipeline();
  const options = { dims: DIMS, numInferenceSteps: 2 };
  const refused: [object, RegExp][] = [
    [{ knownNoise: "fresh" }, /^"knownNoise" expected mask and known beside it/],
    [{ mask: image }, /^"mask" expected known beside it/],
    [{ known: image }, /^"mask" expected known beside it/],
  ];
  for (const [more, message] of refused) {
    const error = await pipeline.run({ ...options, ...more } as never).catch((thrown: unknown) => thrown);
    assert.instance(error, TypeError);
    assert.match((error as Error).message, message);
  }
});

// ---- which noise the known part has

const Pipeline = pipelineOf(implementations.simd);

const noise = normalTensor(7, DIMS);
const otherNoise = normalTensor(8, DIMS);
const start = normalTensor(9, DIMS);
// Parts of both everywhere, so that the noise of what is known can be seen in the result.
const mask = { data: image.data.map((_, i) => (i % 5) / 4), dims: DIMS };
const inpainting = { known: image, mask, numInferenceSteps: 20 };

/** A run, and the next words of its generator. */
async function inpaint(options: object, type?: "float16") {
  const generator = new Generator(5);
  const pipeline = new Pipeline({
    scheduler: new DDIMScheduler({ clipSample: false }),
    model: type === "float16" ? (sample: unknown) => sample : model,
  });
  const { data } = await pipeline.run({ ...inpainting, generator, ...options });
  return { data, next: nextWords(generator) };
}

/** The loop in float64: from `first`, with the known part noised by `z`. */
function inpaintLoop(first: (i: number) => number, z: (i: number) => number, timesteps = leading): Float64Array {
  return Float64Array.from(image.data, (known, i) =>
    loop(first(i), timesteps, 50, (x, p) => {
      const kept = p < 0 ? known : noised(known, z(i), p);
      return kept + mask.data[i]! * (x - kept);
    }),
  );
}

function assertNear(actual: ArrayLike<number>, expected: Float64Array): void {
  const error = relativeError(actual, expected);
  assert.ok(error <= TOLERANCE, String(error));
}

const nextWords = (generator: InstanceType<typeof Generator>): Int32Array => generator.randint(0, 2 ** 20, [4]);

/** The next words of the generator after so many tensors of the image's shape. */
function wordsAfter(tensors: number): Int32Array {
  const generator = new Generator(5);
  for (let i = 0; i < tensors; i++) generator.randn(DIMS);
  return nextWords(generator);
}

test("a run that starts from noise of one's own noises the known part with that, and draws none", async () => {
  const { data, next } = await inpaint({ sample: start });
  assertNear(data, inpaintLoop((i) => start.data[i]!, (i) => start.data[i]!)); // prettier-ignore
  assert.equal(next, wordsAfter(0), "what was drawn");
  const named = await inpaint({ sample: start, knownNoise: "same" });
  assert.equal(named.data, data);
});

test("knownNoise is the noise of the known part, whatever a run starts from", async () => {
  const drawn = new Generator(5).randn(DIMS).data;
  const halfWay = leading.slice(-10);
  const z = (i: number): number => noise.data[i]!;
  const starts: [options: object, first: (i: number) => number, drawn: number, timesteps?: number[]][] = [
    [{ dims: DIMS }, (i) => drawn[i]!, 1],
    [{ sample: start }, (i) => start.data[i]!, 0],
    [{ strength: 0.5 }, (i) => noised(image.data[i]!, drawn[i]!, halfWay[0]!), 1, halfWay],
    [{ strength: 0.5, sample: start }, (i) => noised(start.data[i]!, drawn[i]!, halfWay[0]!), 1, halfWay],
  ];
  for (const [options, first, draws, timesteps] of starts) {
    for (const knownNoise of [noise, { data: noise.data, dims: DIMS }, noise.data]) {
      const { data, next } = await inpaint({ ...options, knownNoise });
      assertNear(data, inpaintLoop(first, z, timesteps));
      assert.equal(next, wordsAfter(draws), "what was drawn");
    }
  }
  const other = await inpaint({ sample: start, knownNoise: otherNoise });
  assert.not.equal(other.data, (await inpaint({ sample: start, knownNoise: noise })).data);
});

test("knownNoise of halves, for halves", async () => {
  const [known, knownNoise] = [normalTensor(1, DIMS, "float16"), normalTensor(7, DIMS, "float16")];
  const sample = normalTensor(7, DIMS, "float16");
  const given = await inpaint({ known, sample, knownNoise }, "float16");
  assert.equal(given.data, (await inpaint({ known, sample, knownNoise: "same" }, "float16")).data);
});

for (const sample of [undefined, start]) {
  for (const knownNoise of ["same", "fresh"]) {
    const from = sample ? "a sample" : "the known image";
    test(`with a mask, strength 1 starts from pure noise, from ${from}, ${knownNoise} noise`, async () => {
      const generator = new Generator(5);
      const noises = Array.from({ length: 20 }, () => generator.randn(DIMS).data);
      const { data } = await inpaint({ strength: 1, knownNoise, ...(sample ? { sample } : {}) });
      const expected = Float64Array.from(image.data, (known, i) => {
        let drawn = 0;
        return loop(noises[0]![i]!, leading, 50, (x, p) => {
          const kept = p < 0 ? known : noised(known, noises[knownNoise === "fresh" ? ++drawn : 0]![i]!, p);
          return kept + mask.data[i]! * (x - kept);
        });
      });
      assertNear(data, expected);
    });
  }
}

test("without a mask, strength 1 starts from the noised image", async () => {
  const { data } = await inpaint({ mask: undefined, known: undefined, sample: image, strength: 1 });
  const drawn = new Generator(5).randn(DIMS).data;
  assertNear(
    data,
    Float64Array.from(image.data, (x, i) => loop(noised(x, drawn[i]!, leading[0]!), leading, 50)),
  );
});

const WRONG_NOISES: [what: string, knownNoise: unknown, error: new () => Error, ...pieces: string[]][] = [
  ["too few values", new Float32Array(119), RangeError, "120", "119"],
  ["another shape", normalTensor(1, [2, 3, 5, 4]), RangeError, "[2, 3, 4, 5]", "[2, 3, 5, 4]"],
  ["halves for floats", normalTensor(1, DIMS, "float16"), TypeError, "float32"],
  ["a number", 1, TypeError, "got 1"],
  ["a list", [1, 2], TypeError],
  ["another name", "other", RangeError, 'got "other"', '"same"', '"fresh"', "tensor"],
  ["nothing", null, TypeError, "got null"],
];

for (const [what, knownNoise, expected, ...pieces] of WRONG_NOISES) {
  test(`knownNoise is refused: ${what}`, async () => {
    for (const options of [{ dims: DIMS }, { sample: start }, { strength: 0.5 }]) {
      const error: any = await inpaint({ ...options, knownNoise }).then(
        () => assert.unreachable("it was not rejected"),
        (thrown: unknown) => thrown,
      );
      assert.is(error.constructor, expected, String(error));
      assert.ok(error.message.startsWith('"knownNoise'), error.message);
      for (const piece of pieces) assert.ok(error.message.includes(piece), `${piece} is not in: ${error.message}`);
    }
  });
}

test.run();
