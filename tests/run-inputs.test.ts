// What a run was given stays as it was at the start: what happens to the tensors while the run waits for its model
// changes nothing, or is an error.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { copy, pipelineOf } from "./implementations.js";
import { assertSameBits, type Data, normalTensor } from "./tensors.js";

/** Values as the types do not know them. */
type Any = any;

// A copy of its own: memory grows in these tests, which it cannot where another test has used all of it.
const library = await copy("run-inputs");
const { allocate, DDIMScheduler, Generator } = library;
const Pipeline = pipelineOf(library);

const DIMS = [1, 3, 4, 5];
const image = normalTensor(1, DIMS);
const noise = normalTensor(2, DIMS);
// Parts of both everywhere, so that the noise of what is known can be seen in the result.
const mask = { ...image, data: image.data.map((_, i) => (i % 5) / 4) };
const INPUTS = { known: image, knownNoise: noise, mask };

const clone = ({ data, dims }: Any) => ({ data: data.slice(), dims });

function resident({ data, dims }: Any) {
  const tensor = allocate(dims);
  tensor.data.set(data);
  return tensor;
}

/** A model that gives half the sample, and calls `meddle` with the step's number before it answers. */
function makePipeline(meddle: (step: number) => void) {
  const model = async ({ data, dims }: Any, _timestep: number, { step }: { step: number }) => {
    const output = Float32Array.from(data as Float32Array, (value) => value / 2);
    await Promise.resolve();
    meddle(step);
    return { data: output, dims };
  };
  const scheduler = new DDIMScheduler({ clipSample: false, betaSchedule: "linear" });
  return new Pipeline({ scheduler, model });
}

function run(options: object, meddle: (step: number) => void = () => {}): Promise<Any> {
  return makePipeline(meddle).run({ numInferenceSteps: 4, generator: new Generator(3), ...options });
}

/** Makes the module's memory grow, after which every view of it is detached. */
function grow(): void {
  const blocks = [allocate([1])];
  const before = blocks[0]!.data.buffer.byteLength;
  while (blocks[0]!.data.buffer.byteLength === before) blocks.push(allocate([1 << 16]));
  for (const block of blocks) block.free();
}

/** Frees a tensor, and has another take its memory. */
function reuse(tensor: Any): void {
  tensor.free();
  const next = allocate(tensor.dims);
  next.data.fill(9);
  next.free();
}

/** What can happen to a tensor: how it is made, and what is done to it. */
const CHANGES: Record<string, [make: (tensor: Any) => Any, meddle: (tensor: Any) => void]> = {
  "is overwritten": [clone, ({ data }) => data.fill(0.9)],
  "is overwritten in the module's memory": [resident, ({ data }) => data.fill(0.9)],
  "is freed, and its memory used again": [resident, reuse],
  "lies in memory that grows": [resident, grow],
};

for (const [input, tensor] of Object.entries(INPUTS)) {
  for (const [change, [make, meddle]] of Object.entries(CHANGES)) {
    for (const step of [0, 1]) {
      test(`${input} ${change} during model call ${step}`, async () => {
        const options = { dims: DIMS, known: clone(image), mask: clone(mask) };
        const expected = await run({ ...options, [input]: clone(tensor) });
        const given = make(tensor);
        const result = await run({ ...options, [input]: given }, (at) => at === step && meddle(given));
        assertSameBits(result.data, expected.data);
      });
    }
  }
}

for (const knownNoise of ["same", "fresh"]) {
  test(`sample and known lie in memory that grows, ${knownNoise} noise`, async () => {
    const options = { mask, knownNoise };
    const expected = await run({ ...options, known: clone(image), sample: clone(noise) });
    const [known, sample] = [resident(image), resident(noise)];
    const result = await run({ ...options, known, sample }, () => grow());
    assertSameBits(result.data, expected.data);
  });
}

/** Asserts that an error says which tensor was freed. */
function assertFreed(error: Any): void {
  assert.instance(error, Error);
  for (const piece of ['"sample"', "freed", "[1, 3, 4, 5]"]) assert.match(error.message, piece);
}

test("a sample that is freed during the first model call is an error that says so", async () => {
  const sample = resident(image);
  const error = await run({ sample }, (step) => step === 0 && sample.free()).then(
    () => assert.unreachable("it was not rejected"),
    (thrown: unknown) => thrown,
  );
  assertFreed(error);
});

// The known part is noised with the sample, where that is the noise of the start.
for (const options of [{}, { known: image, mask }]) {
  for (const [change, [make, meddle]] of Object.entries(CHANGES)) {
    test(`the sample ${change} after the first step, with ${Object.keys(options).join(" and ") || "nothing else"}`, async () => {
      const expected = await run({ ...options, sample: clone(noise) });
      const sample = make(noise);
      const result = await run({ ...options, sample }, (step) => step === 1 && meddle(sample));
      assertSameBits(result.data, expected.data);
    });
  }
}

function invert(options: object, meddle: () => void = () => {}): Promise<Any> {
  return makePipeline(meddle).invert({ numInferenceSteps: 4, refine: true, ...options });
}

test("a refined inversion of a sample in memory that grows", async () => {
  const expected = await invert({ sample: clone(image) });
  assert.ok((expected.sample.data as Data).every((value) => Number.isFinite(value)));
  const { sample, converged, worst } = await invert({ sample: resident(image) }, grow);
  assertSameBits(sample.data, expected.sample.data);
  assert.equal([converged, worst], [expected.converged, expected.worst]);
});

test("a refined inversion of a sample that is freed gives what it should, or an error that says so", async () => {
  const expected = await invert({ sample: clone(image) });
  const sample = resident(image);
  let calls = 0;
  await invert({ sample }, () => calls++ === 1 && reuse(sample)).then(
    (inversion) => assertSameBits(inversion.sample.data, expected.sample.data),
    assertFreed,
  );
});

test.run();
