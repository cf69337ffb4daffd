// What the errors say that users meet first. Beside the argument, what it got and what it takes, each says what helps;
// none is the engine's own, and none fills a screen. What is refused, and with which class, is in errors.test.ts.

import { buildSync } from "esbuild";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { createContext, runInContext, runInNewContext } from "node:vm";
import { runInChild } from "./child.js";
import { copy, implementations, pipelineOf } from "./implementations.js";
import { normalData, normalTensor } from "./tensors.js";

/** Rows pass what the types forbid. */
type Any = any;
type ErrorClass = new (message: string) => Error;
type Row = [what: string, call: () => unknown, error: ErrorClass | ErrorClass[], ...pieces: RegExp[]];

const resolve = createRequire(import.meta.url).resolve;
const library: Any = implementations.simd;
const { allocate, DDIMInverseScheduler, DDIMScheduler, Generator, latentToRgb, SD1_LATENT_RGB } = library;
const Pipeline = pipelineOf(library);

const MOST_CHARACTERS = 500;

/** The error that `call` throws, or is rejected with. */
async function errorOf(call: () => unknown): Promise<Any> {
  try {
    await call();
  } catch (error) {
    return error;
  }
  return assert.unreachable("nothing was thrown");
}

function testRows(section: string, rows: Row[]): void {
  for (const [what, call, expected, ...pieces] of rows) {
    test(`${section}: ${what}`, async () => {
      const { constructor, name, message } = await errorOf(call);
      const start = `${name}: ${message.slice(0, 2 * MOST_CHARACTERS)}`;
      for (const piece of pieces) assert.ok(piece.test(message), `${piece} is not in: ${start}`);
      assert.ok([expected].flat().includes(constructor), start);
      assert.ok(message.length <= MOST_CHARACTERS, `${message.length} characters: ${message.slice(0, 100)}`);
    });
  }
}

const scheduler: Any = new DDIMScheduler();
scheduler.setTimesteps(20);
const x = normalTensor(1, [2, 3]);
const m = normalTensor(2, [2, 3]);
const seven = normalData(3, 7);

const step = (options: object) => scheduler.step(m, x, 500, options);
const run = (options: object, model: Any = (sample: unknown) => sample) =>
  new Pipeline({ scheduler: new DDIMScheduler(), model }).run({ numInferenceSteps: 2, ...options });
const invert = (options: object) =>
  new Pipeline({ scheduler: new DDIMScheduler(), model: (sample: unknown) => sample }).invert({
    sample: x,
    numInferenceSteps: 2,
    ...options,
  });

// ---- more than there can be

/** A number, or a power, that is the most. */
const LIMIT = /(at most|up to|<=|less than|fewer than) [\d^,]*\d|in \[-?\d+, [\d^]+[\])]/;
const many = { length: 1e12 };

testRows("too many", [
  ["randn", () => new Generator(1).randn([1e12]), RangeError, /"dims/, LIMIT],
  ["randn of halves", () => new Generator(1).randn([1e6, 1e6], { type: "float16" }), RangeError, /"dims/, LIMIT],
  ["rand", () => new Generator(1).rand([2 ** 40]), RangeError, /"dims/, LIMIT],
  ["randint", () => new Generator(1).randint(0, 5, [1e12]), RangeError, /"dims/, LIMIT],
  ["randint of bigints", () => new Generator(1).randint(0n, 5n, [1e12]), RangeError, /"dims/, LIMIT],
  ["a run", () => run({ dims: [1e12] }), RangeError, /"dims/, LIMIT],
  ["numTrainTimesteps", () => new DDIMScheduler({ numTrainTimesteps: 1e12 }), RangeError, /"numTrainTimesteps"/, LIMIT],
  ["a list of timesteps", () => scheduler.setTimesteps(many), RangeError, /"steps/, /1000|999/],
  ["trainedBetas", () => new DDIMScheduler({ trainedBetas: many }), RangeError, /"trainedBetas/, LIMIT],
  ["dims", () => new Generator(1).randn(many), RangeError, /"dims/],
  ["a timestep each", () => scheduler.step(m, x, many), RangeError, /"timestep/, /\b2\b/],
  ["a target each", () => step({ prevTimestep: many }), RangeError, /"prevTimestep/, /\b2\b/],
  ["a tensor's dims", () => scheduler.step(m, { data: x.data, dims: many }, 500), RangeError, /"sample.dims/],
  [
    "elements of the dims of a draw",
    () => new Generator(1).randn([2 ** 40, 2 ** 40]),
    RangeError,
    /"dims/,
    LIMIT,
    /got \[1099511627776, 1099511627776\]/,
  ],
  [
    "elements of a tensor's dims",
    () => scheduler.step(m, { data: x.data, dims: [2 ** 40, 2 ** 40] }, 500),
    RangeError,
    /"sample.dims/,
    /\b6\b|at most \d/,
  ],
]);

// ---- a forgotten await

const forgotten = Promise.resolve(m);
const foreign = runInNewContext("Promise.resolve()");

testRows("a forgotten await", [
  ["modelOutput", () => scheduler.step(forgotten, x, 500), TypeError, /^"modelOutput"/, /a promise/, /await the model/],
  [
    "modelOutput of another realm",
    () => scheduler.step(foreign, x, 500),
    TypeError,
    /^"modelOutput"/,
    /a promise/,
    /await the model/,
  ],
  [
    "modelOutput, with guidance",
    () => scheduler.step(forgotten, x, 500, { guidanceScale: 2 }),
    TypeError,
    /^"modelOutput"/,
    /a promise/,
    /await the model/,
  ],
  ["sample", () => scheduler.step(m, forgotten, 500), TypeError, /^"sample"/, /a promise/, /await/],
  ["noise", () => scheduler.addNoise(x, forgotten, 500), TypeError, /^"noise"/, /a promise/, /await/],
  ["a run's sample", () => run({ sample: forgotten }), TypeError, /^"sample"/, /a promise/, /await/],
  [
    "an inverse step's modelOutput",
    () => {
      const inverse = new DDIMInverseScheduler();
      inverse.setTimesteps(20);
      return inverse.step(forgotten, x, 500);
    },
    TypeError,
    /^"modelOutput"/,
    /a promise/,
    /await the model/,
  ],
]);

// ---- numbers

const state = new Generator(1).getState();
function damagedState(at: number, value: number): Uint8Array {
  const damaged = state.slice();
  new DataView(damaged.buffer).setInt32(at, value, true);
  return damaged;
}

/** More than the length of a state that has the right one. */
const NOT_JUST_THE_LENGTH = /^(?!.*got Uint8Array\(5056\)$)/;
const STATE_FIELD = /\b(left|next|position)\b/;

testRows("numbers", [
  [
    "an infinite range",
    () => new DDIMScheduler({ clipSampleRange: Infinity }),
    RangeError,
    /"clipSampleRange" expected a finite number > 0, got Infinity/,
  ],
  [
    "an infinite threshold",
    () => new DDIMScheduler({ sampleMaxValue: Infinity }),
    RangeError,
    /"sampleMaxValue" expected a finite number > 0, got Infinity/,
  ],
  [
    "a trained beta that makes no noise",
    () => new DDIMScheduler({ trainedBetas: [1e-17, 0.1] }),
    RangeError,
    /beta 0/,
    /1e-17/,
    /1 - beta/,
    /rounds to 1/,
  ],
  [
    "a first beta that makes no noise",
    () => new DDIMScheduler({ betaSchedule: "linear", betaStart: 1e-20 }),
    RangeError,
    /beta 0/,
    /1e-20/,
    /1 - beta/,
    /rounds to 1/,
  ],
  [
    "a state of zeros",
    () => new Generator(1).setState(new Uint8Array(5056)),
    RangeError,
    /^"state"/,
    STATE_FIELD,
    NOT_JUST_THE_LENGTH,
  ],
  ["a state with too much left", () => new Generator(1).setState(damagedState(8, 626)), RangeError, /^"state"/, STATE_FIELD, /626/, NOT_JUST_THE_LENGTH], // prettier-ignore
  ["a state beyond its end", () => new Generator(1).setState(damagedState(16, 700)), RangeError, /^"state"/, STATE_FIELD, /700/, NOT_JUST_THE_LENGTH], // prettier-ignore
  [
    "a state of another length",
    () => new Generator(1).setState(new Uint8Array(5055)),
    RangeError,
    /^"state"/,
    /5056 bytes/,
    /5055/,
  ],
  [
    "pixels of an empty batch",
    () => latentToRgb({ data: new Float32Array(0), dims: [0, 4, 8, 8] }, SD1_LATENT_RGB),
    RangeError,
    /^"latents/,
    /batch/,
    /\[0, 4, 8, 8\]/,
  ],
  ["refine, a number", () => invert({ refine: 3 }), TypeError, /^"refine"/, /boolean/, /object/, /got 3/],
  ["refine, a text", () => invert({ refine: "yes" }), TypeError, /^"refine"/, /boolean/, /object/, /got "yes"/],
  ["refine, nothing", () => invert({ refine: null }), TypeError, /^"refine"/, /boolean/, /object/, /got null/],
]);

// ---- what belongs together

const seeded = (count: number) => Array.from({ length: count }, (_, i) => new Generator(i));

/** How many generators were given, and how large the batch is. */
const generators = (given: number, batch: number) => [
  /^"generator"/,
  new RegExp(`\\b${given}\\b`),
  new RegExp(`batch (of|is|has|size) ${batch}\\b`),
];

/** The list of timesteps is at fault, and the sample's length is told. */
const timesteps = (name: string, given: number, length: number) => [
  new RegExp(`^"${name}"`),
  new RegExp(`\\b${given}\\b`),
  new RegExp(`\\b${length}\\b`),
  /"(sample|originalSamples)"|sample/,
];

testRows("what belongs together", [
  [
    "neither dims nor a sample",
    () => run({}),
    TypeError,
    /"dims"/,
    /"sample"/,
    /\bgive (one|either|"?dims)/i,
    /^(?!.*exclude)/,
  ],
  ["dims and a sample", () => run({ dims: [2, 3], sample: x }), TypeError, /"dims"/, /"sample"/, /one|exclude/],
  [
    "two generators for one batch element",
    () => scheduler.step(seven, seven, 500, { eta: 1, generator: seeded(2) }),
    RangeError,
    ...generators(2, 1),
  ],
  [
    "three generators for two batch elements",
    () => step({ eta: 1, generator: seeded(3) }),
    RangeError,
    ...generators(3, 2),
  ],
  ["no generators for two batch elements", () => step({ eta: 1, generator: [] }), RangeError, ...generators(0, 2)],
  ["a run's generators", () => run({ dims: [3, 4], generator: seeded(2) }), RangeError, ...generators(2, 3)],
  [
    "timesteps that do not divide a bare sample",
    () => scheduler.step(seven, seven, [500, 400, 300]),
    RangeError,
    ...timesteps("timestep", 3, 7),
  ],
  [
    "no timesteps for a bare sample",
    () => scheduler.step(seven, seven, []),
    RangeError,
    ...timesteps("timestep", 0, 7),
  ],
  [
    "timesteps that do not divide bare original samples",
    () => scheduler.addNoise(seven, seven, [500, 400, 300]),
    RangeError,
    ...timesteps("timesteps", 3, 7),
  ],
]);

// ---- resident tensors

function freed() {
  const tensor = allocate([2, 3]);
  tensor.free();
  return tensor;
}

testRows("a freed resident tensor", [
  ["its data", () => freed().data, Error, /freed/, /\[2, 3\]/],
  ["sample", () => scheduler.step(m, freed(), 500), Error, /"sample"/, /freed/, /\[2, 3\]/],
  ["modelOutput", () => scheduler.step(freed(), x, 500), Error, /"modelOutput"/, /freed/, /\[2, 3\]/],
  ["varianceNoise", () => step({ eta: 1, varianceNoise: freed() }), Error, /"varianceNoise"/, /freed/, /\[2, 3\]/],
  ["out", () => step({ out: freed() }), Error, /"out"/, /freed/, /\[2, 3\]/],
  ["noise", () => scheduler.addNoise(x, freed(), 500), Error, /"noise"/, /freed/, /\[2, 3\]/],
  ["out, by randn", () => new Generator(1).randn([2, 3], { out: freed() }), Error, /"out"/, /freed/, /\[2, 3\]/],
  [
    "known",
    () => run({ dims: [2, 3], mask: new Float32Array(6), known: freed() }),
    Error,
    /"known"/,
    /freed/,
    /\[2, 3\]/,
  ],
  ["latents", () => latentToRgb(freed(), SD1_LATENT_RGB), Error, /"latents"/, /freed/, /\[2, 3\]/],
]);

// ---- configurations

/** What the engine says of a text that is no JSON. */
function jsonError(text: string): string {
  try {
    JSON.parse(text);
  } catch (error) {
    return (error as Error).message;
  }
  return assert.unreachable("it is JSON") as never;
}

const NO_JSON = {
  "a file's name": "scheduler_config.json",
  "a comma too many": '{ "beta_schedule": "linear", }',
  "half a file": '{ "beta_schedule": "lin',
  "a page that says not found": "<!doctype html><title>404</title>",
  nothing: "",
};

for (const [what, text] of Object.entries(NO_JSON)) {
  test(`a configuration of ${what}: what JSON says of it is told`, async () => {
    const { constructor, message } = await errorOf(() => DDIMScheduler.fromConfig(text));
    assert.is(constructor, TypeError);
    assert.match(message, /^"config"/);
    assert.ok(message.includes(jsonError(text)), message);
    assert.ok(message.length <= MOST_CHARACTERS);
  });
}

testRows("a configuration", [
  ["ten megabytes of something else", () => DDIMScheduler.fromConfig("x".repeat(1e7)), TypeError, /^"config"/],
  ["a list", () => DDIMScheduler.fromConfig("[1]"), TypeError, /^"config"/, /object|scheduler_config/],
]);

test("a configuration may begin with a byte order mark", () => {
  const text = JSON.stringify(new DDIMScheduler({ clipSample: false }).toConfig());
  assert.equal(DDIMScheduler.fromConfig(`\ufeff${text}`).config, DDIMScheduler.fromConfig(text).config);
});

// ---- names and values of any length

const long = "x".repeat(1e7);
const named = class extends Float64Array {
  override get [Symbol.toStringTag](): "Float64Array" {
    return long as never;
  }
};

testRows("ten megabytes", [
  ["an option of the scheduler", () => new DDIMScheduler({ [long]: 1 }), TypeError, /"options"/, /xxx/, /clipSample/],
  ["an option of a step", () => step({ [long]: 1 }), TypeError, /"options"/, /xxx/, /eta/],
  ["an option of a run", () => run({ [long]: 1 }), TypeError, /"options"/, /xxx/, /numInferenceSteps/],
  ["an override", () => DDIMScheduler.fromConfig({}, { [long]: 1 }), TypeError, /"overrides"/, /xxx/],
  ["an option of refine", () => invert({ refine: { [long]: 1 } }), TypeError, /"refine"/, /xxx/, /tolerance/],
  ["a value", () => new DDIMScheduler({ betaSchedule: long }), RangeError, /"betaSchedule"/, /xxx/],
  ["a symbol", () => step({ eta: Symbol(long) }), TypeError, /"eta"/],
  ["a bigint", () => new Generator(10n ** 10000n), RangeError, /"seed"/],
  ["a bound", () => new Generator(1).randint(0n, 10n ** 10000n, [1]), RangeError, /"high"/],
  ["an array's own name", () => step({ out: new named(6) }), TypeError, /"out"/],
  ["dims of out", () => new Generator(1).randn(Array(60).fill(1), { out: new Float32Array(2) }), RangeError, /"out/],
  ["dims", () => new Generator(1).randn(Array(2000).fill(1)), RangeError, /"dims" expected at most 64/],
]);

// ---- the module

const other = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00);
const wasm = readFileSync(resolve("ddim-wasm/core.wasm"));
const address = "https://example.com/core.wasm";

const { WebAssembly, Response } = globalThis as Any;
const SOURCES: [what: string, source: () => unknown, error: ErrorClass | ErrorClass[], ...pieces: RegExp[]][] = [
  ["another module's bytes", () => other, [Error, TypeError], /"source"/, /not .*ddim-wasm/],
  ["another module", () => new WebAssembly.Module(other), [Error, TypeError], /"source"/, /not .*ddim-wasm/],
  ["a response", () => new Response(wasm), TypeError, /"source"/, /await/, /arrayBuffer\(\)/],
  ["what fetch gives", () => Promise.resolve(new Response(wasm)), TypeError, /"source"/, /await/, /arrayBuffer\(\)/],
  ["a URL", () => new URL(address), TypeError, /"source"/, /await/, /arrayBuffer\(\)/],
  ["an address", () => address, TypeError, /"source"/, /await/, /arrayBuffer\(\)/],
  ["a number", () => 5, TypeError, /"source"/, /bytes/, /got 5/],
  ["an object", () => ({}), TypeError, /"source"/, /bytes/],
  ["nothing at all", () => null, TypeError, /"source"/, /bytes/, /got null/],
];

for (const [index, [what, source, ...expected]] of SOURCES.entries()) {
  testRows("init", [[what, async () => (await copy(`messages-${index}`)).init(source() as Any), ...expected]]);

  test(`init: after ${what} the library is as it was`, async () => {
    const own = await copy(`messages-${index}-after`);
    await errorOf(() => own.init(source() as Any));
    await own.init(wasm);
    assert.is(new own.Generator(0).randn([16]).data[0], Math.fround(-1.1258398));
  });
}

test("init: the portable build takes no module", async () => {
  const portable = (await import(`${import.meta.resolve("ddim-wasm/portable")}?init`)) as Any;
  const error = await errorOf(() => portable.init(wasm));
  assert.match(error.message, /^"source" expected nothing: ddim-wasm\/portable has no WebAssembly module/);
  await portable.init();
  assert.is(new portable.Generator(0).randn([16]).data[0], Math.fround(-1.1258398));
});

test("where a policy forbids to compile any module, the advice is one that helps", () => {
  // The library in a realm whose engine refuses to compile, as browsers do under a policy of 'self' alone.
  const { outputFiles } = buildSync({
    entryPoints: [resolve("ddim-wasm")],
    bundle: true,
    format: "iife",
    globalName: "library",
    write: false,
  });
  const context = createContext({ TextDecoder }, { codeGeneration: { strings: false, wasm: false } });
  runInContext(outputFiles[0]!.text, context);
  const message: string = runInContext("try { new library.Generator(0); } catch (error) { error.message; }", context);
  assert.match(message, /policy|wasm-unsafe-eval/);
  assert.match(message, /wasm-unsafe-eval|ddim-wasm\/portable/);
  assert.not.match(message, "core.scalar.wasm");
  assert.ok(message.length <= MOST_CHARACTERS);
});

/** What engines say when they do not compile the module: under a policy, and without SIMD. */
const FORBIDDEN = [
  `WebAssembly.Module(): Compiling or instantiating WebAssembly module violates the following Content Security policy directive`,
  `call to WebAssembly.Module() blocked by CSP`,
  `Refused to create a WebAssembly object because 'unsafe-eval' or 'wasm-unsafe-eval' is not an allowed source of script`,
  `WebAssembly.Module(): Wasm code generation disallowed by embedder`,
];
const UNKNOWN = `WebAssembly.Module(): Compiling function #3 failed: invalid numeric opcode 0xfd0c`;

test("whatever words an engine refuses the module in, the advice is one that helps", () => {
  const told = runInChild(`
    report(${JSON.stringify([...FORBIDDEN, UNKNOWN])}.map((words) => {
      WebAssembly.Module = class { constructor() { throw new Error(words); } };
      try {
        new library.Generator(0);
      } catch (error) {
        return [error.message, error.cause.message];
      }
    }));`);
  const policy = `a policy forbids WebAssembly here: allow 'wasm-unsafe-eval' in its script-src, or import "ddim-wasm/portable"`;
  const engine = `this engine does not start the WebAssembly module (it takes SIMD): import "ddim-wasm/portable", or give init the module "ddim-wasm/core.scalar.wasm"`;
  assert.equal(told, [...FORBIDDEN.map((words) => [policy, words]), [engine, UNKNOWN]]);
});

test.run();
