// Where a run starts, and where its noise comes from.

import type { DType } from "./config.js";
import { checkDims, sizeOf } from "./dims.js";
import { Generator } from "./generator.js";
import { type Operand, readGenerators, readOperand } from "./operands.js";
import type { ReadRunOptions } from "./pipeline-options.js";
import type { DDIMScheduler } from "./scheduler.js";
import { isHalf, newData, type Tensor, type Values } from "./tensor.js";

/** Where a run starts. */
export interface Start {
  sample: Operand;
  /** The noise it starts from, if it was drawn. */
  noise: Values | null;
  generators: readonly Generator[];
}

export function readStart(options: ReadRunOptions, scheduler: DDIMScheduler, timestep: number): Start {
  const { dims, type, generator, strength, known } = options;
  const image = options.sample ?? (strength === undefined ? undefined : known);
  if ((image === undefined) === (dims === undefined)) {
    throw new TypeError(
      '"dims" and "sample" exclude each other: give the shape of the noise to start from, or a tensor',
    );
  }
  if (image === undefined) {
    if (strength !== undefined) throw new TypeError('"strength" expected a sample beside it, got none');
    const shape = checkDims(dims, "dims");
    const generators = readGeneratorList(generator, shape[0]!);
    const data = drawNoise(generators, type ?? "float32", shape);
    return { sample: readOperand({ data, dims: shape, type }, "sample"), noise: data, generators };
  }
  if (type !== undefined) throw new TypeError('"type" expected dims beside it, got a sample, which has a type');
  const sample = readOperand(image, options.sample === undefined ? "known" : "sample");
  const generators = readGeneratorList(generator, sample.dims ? sample.dims[0]! : 1);
  if (strength === undefined) return { sample, noise: null, generators };
  const noise = drawNoiseLike(generators, sample);
  const noised = scheduler.addNoise(sample.tensor as Tensor, noise, timestep);
  return { sample: readOperand(noised, "sample"), noise, generators };
}

/** The generators of a run: one, or one for each batch element; one seeded from crypto where none is given. */
function readGeneratorList(generator: unknown, batch: number): readonly Generator[] {
  if (generator !== undefined) return readGenerators(generator, batch);
  const own = new Generator();
  own.seed();
  return [own];
}

export function drawNoiseLike(generators: readonly Generator[], x: Operand): Values {
  return drawNoise(generators, isHalf(x.data) ? "float16" : "float32", x.dims ?? [x.data.length]);
}

/** Noise of a shape: from one generator as a whole, from several an element each. */
function drawNoise(generators: readonly Generator[], type: DType, dims: readonly number[]): Values {
  if (generators.length === 1) return generators[0]!.randn(dims, { type }).data;
  const data = newData(type, sizeOf(dims));
  const element = [1, ...dims.slice(1)];
  const length = sizeOf(element);
  generators.forEach((generator, i) => {
    generator.randn(element, { type, out: data.subarray(i * length, (i + 1) * length) });
  });
  return data;
}
