// Properties of one step, of every sampler with any of its options.

import { test } from "uvu";
import * as assert from "uvu/assert";
import * as fc from "../fast-check.js";
import { implementations, type Library } from "../implementations.js";
import { assertSameBits, type Data, emptyData } from "../tensors.js";
import { makeGenerators, prepare, type Results, type StepArguments, type StepCase, stepCases, stepOptions, takeStep } from "./steps.js"; // prettier-ignore

const library = implementations.simd;
const portable = (await import("ddim-wasm/portable")) as Library;

function assertSame(actual: Results, expected: Results, what: string): void {
  for (const name of ["prevSample", "predOriginalSample"] as const) {
    assertSameBits(actual[name], expected[name], `${what}: ${name}`);
  }
}

/** The part of one batch element in a tensor of `batch`, and in one of twice that both of its parts. */
function elementOf(data: Data, batch: number, element: number): Data {
  const each = data.length / batch;
  return data.slice(element * each, (element + 1) * each);
}

function guidedElementOf(data: Data, batch: number, element: number): Data {
  const halves = [elementOf(data, 2 * batch, element), elementOf(data, 2 * batch, batch + element)];
  const both = emptyData(2 * halves[0]!.length, data instanceof Float32Array ? "float32" : "float16");
  both.set(halves[0]!);
  both.set(halves[1]!, halves[0]!.length);
  return both;
}

/** The arguments of a batch element by itself. */
function argumentsOf(args: StepArguments, element: number): StepArguments {
  const batch = args.dims[0]!;
  const { data, options, timesteps } = args;
  const isGuided = args.outputDims[0] !== batch;
  const { prevTimestep } = options as { prevTimestep?: number | number[] };
  const part = (name: "varianceNoise" | "history") => data[name] && { [name]: elementOf(data[name], batch, element) };
  return {
    ...args,
    dims: [1, ...args.dims.slice(1)],
    outputDims: [isGuided ? 2 : 1, ...args.outputDims.slice(1)],
    timesteps: [timesteps[element]!],
    timestep: timesteps[element]!,
    data: {
      sample: elementOf(data.sample, batch, element),
      modelOutput: (isGuided ? guidedElementOf : elementOf)(data.modelOutput, batch, element),
      ...part("varianceNoise"),
      ...part("history"),
    },
    historyTimesteps: args.historyTimesteps.slice(element, element + 1),
    options: Array.isArray(prevTimestep) ? { ...options, prevTimestep: prevTimestep[element] } : options,
    generators: Math.min(args.generators, 1),
  };
}

test("a batch is its elements, each by itself, where each has a generator", () => {
  fc.assert(
    fc.property(stepCases(), (drawn) => {
      const step: StepCase = drawn.noise === "generator" ? { ...drawn, noise: "generators" } : drawn;
      const args = prepare(library, step);
      const whole = takeStep(library, step, args);
      for (let element = 0; element < step.batch; element++) {
        const seed = step.seed + 17 * element;
        const own = takeStep(library, { ...step, seed }, argumentsOf(args, element));
        const [prevSample, predOriginalSample] = [whole.prevSample, whole.predOriginalSample].map((data) =>
          elementOf(data, step.batch, element),
        ) as [Data, Data];
        assertSame({ prevSample, predOriginalSample }, own, `element ${element}`);
      }
    }),
    fc.runs(4800),
  );
});

test("SIMD, scalar and portable give the same bits, and leave generators alike", () => {
  fc.assert(
    fc.property(stepCases(), (step) => {
      const expected = takeStep(library, step);
      assertSame(takeStep(implementations.scalar, step), expected, "scalar");
      if (expected.prevSample.length < 1000) assertSame(takeStep(portable, step), expected, "portable");
    }),
    fc.runs(3200),
  );
});

/** Where the tensors of a step lie in one memory: apart, or over one another. */
const offsets = fc.record({
  sample: fc.nat(60),
  modelOutput: fc.nat(60),
  varianceNoise: fc.nat(60),
  history: fc.nat(60),
  /** Where an input's name is given, the result takes its place. */
  out: fc.oneof(
    fc.nat(60),
    fc.constantFrom("sample", "modelOutput", "second half of modelOutput", "varianceNoise", "history"),
  ),
});

/** Memory for so many values, and what gives it back. */
function memoryFor(step: StepCase, length: number, isResident: boolean): [Data, () => void] {
  if (!isResident) return [emptyData(length, step.type), () => {}];
  const tensor = library.allocate([length], step.type);
  return [tensor.data as Data, () => tensor.free()];
}

test("into memory of an input, or partly so, resident or not: the result is that into other memory", () => {
  fc.assert(
    fc.property(stepCases(), offsets, fc.boolean(), (step, places, isResident) => {
      const args = prepare(library, step);
      const { scheduler, data, dims, outputDims, timestep } = args;
      const total = data.sample.length;
      const [memory, free] = memoryFor(step, 4 * total + 60, isResident);
      const viewAt = (start: number, length: number) => memory.subarray(start, start + length) as Data;
      const start = (name: string): number =>
        name === "second half of modelOutput" ? places.modelOutput + total : places[name as "sample"];
      // Values where they lie; those written later win where some overlap.
      const views: Record<string, Data> = {};
      for (const [name, values] of Object.entries(data)) {
        views[name] = viewAt(start(name), values.length);
        views[name].set(values);
      }
      // What each holds then, elsewhere.
      const copies = Object.fromEntries(Object.entries(views).map(([name, view]) => [name, view.slice()]));
      const expected = takeStep(library, step, { ...args, data: copies as StepArguments["data"] });

      const at = typeof places.out === "number" ? places.out : start(places.out);
      const out = { data: viewAt(at, total), dims };
      const options = stepOptions(library, step, args, (_, shape, name) => ({ data: views[name], dims: shape }));
      const result = scheduler.step(
        { data: views["modelOutput"], dims: outputDims },
        { data: views["sample"], dims },
        timestep,
        { ...options, out },
      );
      assert.is(result.prevSample, out);
      assertSame({ prevSample: out.data, predOriginalSample: result.predOriginalSample.data }, expected, "result");
      free();
    }),
    fc.runs(6400),
  );
});

class OnnxTensor {
  readonly type: string;
  readonly data: Data;
  readonly dims: readonly number[];
  constructor(type: string, data: Data, dims: readonly number[]) {
    this.type = type;
    this.data = data;
    this.dims = dims;
  }
}

/** Ways of handing a tensor over. */
const CONTAINERS: Record<string, (data: Data, dims: number[]) => unknown> = {
  plain: (data, dims) => ({ data, dims }),
  "of a class": (data, dims) => new OnnxTensor(data instanceof Float32Array ? "float32" : "float16", data, dims),
  "in shared memory": (data, dims) => {
    const Class = data.constructor as typeof Float32Array;
    const shared = new Class(new SharedArrayBuffer(data.byteLength) as never, 0, data.length);
    shared.set(data);
    return { data: shared, dims };
  },
  "at an offset": (data, dims) => {
    const whole = emptyData(data.length + 5, data instanceof Float32Array ? "float32" : "float16");
    whole.set(data, 3);
    return { data: whole.subarray(3, 3 + data.length), dims };
  },
  resident: (data, dims) => {
    const tensor = library.allocate(dims, data instanceof Float32Array ? "float32" : "float16");
    (tensor.data as Data).set(data);
    return tensor;
  },
};

test("what holds the values makes no difference to their bits, and inputs stay as they are", () => {
  const kinds = fc.constantFrom(...Object.keys(CONTAINERS));
  const containers = fc.record({ sample: kinds, modelOutput: kinds, varianceNoise: kinds, history: kinds });
  fc.assert(
    fc.property(stepCases(), containers, (step, kind) => {
      const args = prepare(library, step);
      const made: Record<string, { data: Data; free?: () => void }> = {};
      const make = (data: Data, dims: number[], name: string): unknown =>
        (made[name] = CONTAINERS[kind[name as keyof typeof kind]]!(data, dims) as { data: Data });
      const sample = make(args.data.sample, args.dims, "sample");
      const output = make(args.data.modelOutput, args.outputDims, "modelOutput");
      const result = args.scheduler.step(output, sample, args.timestep, stepOptions(library, step, args, make));
      const actual = { prevSample: result.prevSample.data, predOriginalSample: result.predOriginalSample.data };
      assertSame(actual, takeStep(library, step, args), "result");
      for (const [name, { data, free }] of Object.entries(made)) {
        assertSameBits(data, args.data[name as "sample"], name);
        free?.call(made[name]);
      }
    }),
    fc.runs(4800),
  );
});

test("a bare batch of one is one with dims", () => {
  fc.assert(
    fc.property(stepCases(), (drawn) => {
      const step = { ...drawn, batch: 1, perElement: false, learnedVariance: false };
      const args = prepare(library, step);
      const options = stepOptions(library, step, args, (data) => data.slice());
      const result = args.scheduler.step(args.data.modelOutput, args.data.sample, args.timestep, options);
      // A draw's dims are those of the sample: their product alone counts.
      assertSame(result, takeStep(library, step, args), "bare");
    }),
    fc.runs(1600),
  );
});

test("generators have drawn alike, whatever memory a step runs in", () => {
  fc.assert(
    fc.property(stepCases(["DDIMScheduler", "LCMScheduler", "TCDScheduler"]), (step) => {
      const states = [CONTAINERS["plain"]!, CONTAINERS["resident"]!].map((container) => {
        const args = prepare(library, step);
        const made: { free?: () => void }[] = [];
        const make = (data: Data, dims: number[]): unknown => {
          const tensor = container(data, dims) as { free?: () => void };
          made.push(tensor);
          return tensor;
        };
        const generator = makeGenerators(library, Math.max(args.generators, 1), step.seed);
        const options = { ...stepOptions(library, step, args, make), ...(args.generators > 0 && { generator }) };
        args.scheduler.step(
          make(args.data.modelOutput, args.outputDims),
          make(args.data.sample, args.dims),
          args.timestep,
          options,
        );
        for (const tensor of made) tensor.free?.();
        return generator.map((each) => Buffer.from(each.getState()).toString("base64"));
      });
      assert.equal(states[0], states[1]);
    }),
    fc.runs(800),
  );
});

test.run();
