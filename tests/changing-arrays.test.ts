// Arrays whose memory is gone, or changes while the arguments of a call are read: detached buffers, resizable ones that
// shrink, shared ones that grow. Each is an error that names the argument; nothing has been written then.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { runInChild } from "./child.js";
import { copy, implementations, pipelineOf } from "./implementations.js";
import { assertSameBits, bytesOf, normalData } from "./tensors.js";

/** Rows pass what the types forbid, and resizable buffers, which the compiler's library does not know. */
type Any = any;

const { DDIMInverseScheduler, DDIMScheduler, Generator, latentToRgb, SD1_LATENT_RGB } = implementations.simd;
const Pipeline = pipelineOf(implementations.simd);

const DIMS = [1, 4, 2, 3];
const LENGTH = 24;
const BYTES = 4 * LENGTH;

const scheduler: Any = new DDIMScheduler({ clipSample: false });
scheduler.setTimesteps(20);
const inverse: Any = new DDIMInverseScheduler({ clipSample: false });
inverse.setTimesteps(20);

const normals = (seed: number) => normalData(seed, LENGTH) as Float32Array;
const resizable = (length: number, maxByteLength: number): Any => new (ArrayBuffer as Any)(length, { maxByteLength });
const growable = (length: number, maxByteLength: number): Any =>
  new (SharedArrayBuffer as Any)(length, { maxByteLength });

function detach(array: NodeJS.TypedArray): void {
  structuredClone(array.buffer, { transfer: [array.buffer as ArrayBuffer] });
}

/** A short run of the pipeline. */
function run(options: object, model: (sample: Any) => unknown = (sample) => sample): Promise<unknown> {
  const pipeline = new Pipeline({ scheduler: new DDIMScheduler(), model });
  return pipeline.run({ numInferenceSteps: 2, generator: new Generator(1), ...options });
}

const inpainting = { dims: DIMS, known: { data: normals(3), dims: DIMS }, mask: new Float32Array(LENGTH) };

/** Every argument that takes a tensor: its name, a call with that tensor and an `out`, and multiples of its batch. */
const ARGUMENTS: [name: string, call: (tensor: Any, out: Float32Array) => unknown, times?: number][] = [
  ["modelOutput", (m, out) => scheduler.step(m, { data: normals(1), dims: DIMS }, 500, { out })],
  ["modelOutput", (m, out) => scheduler.step(m, normals(1), 500, { out, guidanceScale: 2 }), 2],
  ["sample", (x, out) => scheduler.step(normals(1), x, 500, { out })],
  [
    "varianceNoise",
    (varianceNoise, out) => scheduler.step(normals(1), normals(2), 500, { eta: 1, varianceNoise, out }),
  ],
  ["out", (out) => scheduler.step(normals(1), normals(2), 500, { out })],
  ["out", (out) => scheduler.step(normals(1), normals(2), 500, { out, returnDict: true, eta: 1 })],
  ["modelOutput", (m, out) => inverse.step(m, normals(1), 500, { out })],
  ["sample", (x, out) => inverse.step(normals(1), x, 500, { out })],
  ["originalSamples", (x, out) => scheduler.addNoise(x, normals(1), 500, { out })],
  ["noise", (z, out) => scheduler.addNoise(normals(1), z, 500, { out })],
  ["out", (out) => scheduler.addNoise(normals(1), normals(2), 500, { out })],
  ["sample", (x, out) => scheduler.getVelocity(x, normals(1), 500, { out })],
  ["noise", (z, out) => scheduler.getVelocity(normals(1), z, 500, { out })],
  ["out", (out) => new Generator(1).randn(DIMS, { out })],
  ["out", (out) => new Generator(1).rand(DIMS, { out })],
  ["latents", (latents) => latentToRgb({ dims: DIMS, ...latents }, SD1_LATENT_RGB)],
  ["sample", (sample) => run({ sample })],
  ["sample", (sample) => run({ sample, strength: 0.5 })],
  ["known", (known) => run({ ...inpainting, known })],
  ["mask", (mask) => run({ ...inpainting, mask })],
  ["knownNoise", (knownNoise) => run({ ...inpainting, knownNoise })],
  ["modelOutput", (m) => run({ dims: DIMS }, () => m)],
];

/** Ways to lose memory: arrays of so many values that have. */
const LOST: Record<string, (length: number) => Float32Array> = {
  "a detached array": (length) => {
    const array = new Float32Array(length);
    detach(array);
    return array;
  },
  "a detached subarray": (length) => {
    const array = new Float32Array(length + 3).subarray(3);
    detach(array);
    return array;
  },
  "an array whose buffer has shrunk": (length) => {
    const buffer = resizable(4 * length, 4 * length);
    const array = new Float32Array(buffer, 0, length);
    buffer.resize(4 * length - 4);
    return array;
  },
  "an array that followed its buffer's length, which is less than its offset now": (length) => {
    const buffer = resizable(4 * length + 8, 4 * length + 8);
    const array = new Float32Array(buffer, 8);
    buffer.resize(4);
    return array;
  },
};

/** Asserts that a call throws, or rejects with, an error of a class that names an argument before any other. */
async function assertRefused(call: () => unknown, name: string, classes: unknown[], piece = ""): Promise<void> {
  let error: Any;
  try {
    await call();
  } catch (thrown) {
    error = thrown;
  }
  assert.ok(error, "nothing was thrown");
  assert.ok(classes.includes(error.constructor), `${error.name}: ${error.message}`);
  assert.is(/"(\w+)/.exec(error.message)?.[1], name, error.message);
  assert.match(error.message, piece);
}

/** Asserts that a call throws a TypeError with a message. */
function assertThrown(call: () => unknown, message: RegExp): void {
  assert.throws(call, (error: unknown) => error instanceof TypeError && message.test(error.message));
}

for (const [lost, make] of Object.entries(LOST)) {
  ARGUMENTS.forEach(([name, call, times = 1], index) => {
    test(`${lost} is refused: ${name} (${index})`, async () => {
      const dims = [times * DIMS[0]!, ...DIMS.slice(1)];
      const tensors = [
        { data: make(times * LENGTH), dims },
        { data: make(times * LENGTH), dims: [0, 4, 2, 3] },
      ];
      for (const tensor of name === "latents" ? tensors : [tensors[0]!.data, ...tensors]) {
        const out = normals(9);
        await assertRefused(() => call(tensor, out), name, [TypeError], "detached");
        assert.equal(out, normals(9), "out was written to");
      }
    });
  });
}

test("two detached arrays are no empty step", () => {
  const [m, x] = [normals(1), normals(2)];
  for (const array of [m, x]) detach(array);
  for (const timestep of [500, []]) {
    assertThrown(() => scheduler.step(m, x, timestep), /^"(modelOutput|sample)".*detached/);
    assertThrown(() => scheduler.addNoise(x, m, timestep), /^"(originalSamples|noise)".*detached/);
  }
});

test("an old view of the module's memory, which has grown, is refused", async () => {
  const library: Any = await copy("old-view");
  const own = new library.DDIMScheduler();
  own.setTimesteps(20);
  const tensor = library.allocate([LENGTH]);
  const view = tensor.data;
  library.allocate([1 << 22]);
  await assertRefused(() => own.step(normals(1), view, 500), "sample", [TypeError], "detached");
  await assertRefused(() => own.step(view, normals(1), 500), "modelOutput", [TypeError], "detached");
  await assertRefused(() => own.step(normals(1), normals(2), 500, { out: view }), "out", [TypeError], "detached");
  assert.is(own.step(normals(1), tensor, 500).data.length, LENGTH);
});

test("an array that is really empty stays valid", () => {
  const followed = resizable(64, 64);
  const following = new Float32Array(followed, 8);
  followed.resize(8);
  const shrunk = resizable(64, 64);
  const shrinking = new Float32Array(shrunk);
  shrunk.resize(0);
  const empty = [new Float32Array(0), new Float32Array(new ArrayBuffer(8), 8), following, shrinking];
  for (const x of empty) {
    assert.is(scheduler.step(x, x, []).length, 0);
    assert.is(scheduler.step({ data: x, dims: [0, 4] }, { data: x, dims: [0, 4] }, 500, { out: x }), x);
    assert.is(scheduler.addNoise(x, x, 500).length, 0);
    assert.is(new Generator(1).randn([0, 3], { out: { data: x, dims: [0, 3] } }).data, x);
  }
});

test("arrays on resizable buffers are as good as any others", () => {
  const expected = scheduler.step(normals(1), normals(2), 500);
  const fill = (array: Float32Array, seed: number) => (array.set(normals(seed)), array);
  for (const buffer of [resizable(2 * BYTES, 4 * BYTES), growable(2 * BYTES, 4 * BYTES)]) {
    const m = fill(new Float32Array(buffer, 0, LENGTH), 1);
    const x = fill(new Float32Array(buffer, BYTES), 2);
    assertSameBits(scheduler.step(m, x, 500), expected);
    assertSameBits(scheduler.step(m, x, 500, { out: m }), expected);
  }
});

// ---- changes while arguments are read

/** A tensor that calls `onRead` when the key is read. */
function reading(key: "data" | "dims" | "type", tensor: Any, onRead: () => void): object {
  return Object.defineProperty({ type: "float32", ...tensor }, key, {
    enumerable: true,
    get() {
      onRead();
      return tensor[key] ?? "float32";
    },
  });
}

/** Arrays of LENGTH values and what changes their length. */
const CHANGES: Record<string, () => [array: Float32Array, change: () => void]> = {
  grows: () => {
    const buffer = growable(BYTES, 2 * BYTES);
    return [new Float32Array(buffer), () => buffer.grow(2 * BYTES)];
  },
  shrinks: () => {
    const buffer = resizable(BYTES, BYTES);
    return [new Float32Array(buffer), () => buffer.resize(4)];
  },
  "is gone": () => {
    const array = new Float32Array(LENGTH);
    return [array, () => array.byteLength > 0 && detach(array)];
  },
};

/** Calls with an array that changes while another property is read: the array's name, and the call. */
const READS: [name: string, what: string, call: (array: Float32Array, change: () => void) => unknown][] = [
  [
    "sample",
    "its own dims",
    (data, change) => scheduler.step(normals(1), reading("dims", { data, dims: DIMS }, change), 500),
  ],
  [
    "sample",
    "the model output's dims",
    (data, change) => {
      const modelOutput = reading("dims", { data: normals(1), dims: DIMS }, change);
      return scheduler.step(modelOutput, { data, dims: DIMS }, 500);
    },
  ],
  [
    "sample",
    "out's type",
    (data, change) => {
      const out = reading("type", { data: normals(9), dims: DIMS }, change);
      return scheduler.step(normals(1), { data, dims: DIMS }, 500, { out });
    },
  ],
  [
    "modelOutput",
    "the sample's dims",
    (data, change) =>
      scheduler.step({ data, dims: DIMS }, reading("dims", { data: normals(1), dims: DIMS }, change), 500),
  ],
  [
    "modelOutput",
    "the noise's data",
    (data, change) => {
      const varianceNoise = reading("data", { data: normals(1), dims: DIMS }, change);
      return scheduler.step({ data, dims: DIMS }, normals(2), 500, { eta: 1, varianceNoise });
    },
  ],
  [
    "modelOutput",
    "a timestep",
    (data, change) => {
      const timesteps = [0];
      Object.defineProperty(timesteps, 0, { get: () => (change(), 500) });
      return scheduler.step({ data, dims: DIMS }, normals(2), timesteps);
    },
  ],
  [
    "varianceNoise",
    "out's dims",
    (data, change) => {
      const out = reading("dims", { data: normals(9), dims: DIMS }, change);
      return scheduler.step(normals(1), normals(2), 500, { eta: 1, varianceNoise: { data, dims: DIMS }, out });
    },
  ],
  [
    "out",
    "its own dims",
    (data, change) =>
      scheduler.step(normals(1), normals(2), 500, { out: reading("dims", { data, dims: DIMS }, change) }),
  ],
  [
    "originalSamples",
    "the noise's dims",
    (data, change) =>
      scheduler.addNoise({ data, dims: DIMS }, reading("dims", { data: normals(1), dims: DIMS }, change), 500),
  ],
  [
    "noise",
    "a timestep",
    (data, change) => {
      const timesteps = [0];
      Object.defineProperty(timesteps, 0, { get: () => (change(), 500) });
      return scheduler.getVelocity(normals(1), { data, dims: DIMS }, timesteps);
    },
  ],
  [
    "out",
    "its own dims, by randn",
    (data, change) => new Generator(1).randn(DIMS, { out: reading("dims", { data, dims: DIMS }, change) as Any }),
  ],
];

for (const [change, make] of Object.entries(CHANGES)) {
  for (const [name, what, call] of READS) {
    test(`${name} ${change} while ${what} is read`, async () => {
      const [array, changeIt] = make();
      array.set(normals(4));
      await assertRefused(() => call(array, changeIt), name, [TypeError, RangeError]);
      if (array.byteLength === 0) return;
      const rest = array.subarray(0, LENGTH);
      assert.equal(bytesOf(rest), bytesOf(normals(4).subarray(0, rest.length)), `${name} was written to`);
    });
  }
}

/** The values of a call before, which a call that reads too little would show. */
function leaveTraces(): void {
  scheduler.step(new Float32Array(2 * LENGTH).fill(77), new Float32Array(2 * LENGTH).fill(99), 500);
}

for (const [change, make] of Object.entries(CHANGES)) {
  test(`the model output ${change} while the class of the sample makes a result`, async () => {
    leaveTraces();
    const [modelOutput, changeIt] = make();
    const own = normals(1);
    class Latents {
      constructor(
        readonly type: string,
        readonly data: Float32Array,
        readonly dims: readonly number[],
      ) {
        if (data !== own) changeIt();
      }
    }
    const sample = new Latents("float32", own, DIMS);
    const generator = new Generator(5);
    const state = generator.getState();
    const out = normals(9);
    const options = { eta: 1, generator, out, returnDict: true };
    await assertRefused(() => scheduler.step({ data: modelOutput, dims: DIMS }, sample, 500, options), "modelOutput", [
      TypeError,
      RangeError,
    ]);
    assert.equal(out, normals(9), "out was written to");
    assert.equal(generator.getState(), state, "the generator moved");
  });
}

test("out's buffer shrinks under it while the class of the sample makes a result: an error, and no endless loop", () => {
  const { name, message, kept } = runInChild(`
    const scheduler = new library.DDIMScheduler();
    scheduler.setTimesteps(20);
    const buffer = new ArrayBuffer(64, { maxByteLength: 64 });
    const out = new Float32Array(buffer, 32, 8);
    const values = new Float32Array(buffer, 0, 8).fill(1);
    class Latents {
      constructor(type, data, dims) {
        Object.assign(this, { type, data, dims });
        if (data !== values) buffer.resize(32);
      }
    }
    const sample = new Latents("float32", values, [1, 8]);
    try {
      scheduler.step(new Float32Array(8), sample, 500, { out, returnDict: true });
    } catch ({ name, message }) {
      report({ name, message, kept: values.every((value) => value === 1) });
    }`);
  assert.ok(["TypeError", "RangeError"].includes(name), message);
  assert.match(message, '"out"');
  assert.ok(kept, "the sample was written to");
});

test.run();
