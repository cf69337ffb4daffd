// Where a run starts, and where its noise comes from.

import { useInstance } from "../module/default.js";
import { type Generator, seedGenerator } from "../random/generator.js";
import { readGenerators } from "../schedulers/operands.js";
import type { Scheduler } from "../schedulers/scheduler.js";
import { checkDims, sizeOf } from "../tensor/dims.js";
import { type DType, newValues, type Values } from "../tensor/dtype.js";
import { copyValues, makeLike, type Operand, readOperand, type Tensor } from "../tensor/tensor.js";
import { copyInto, part } from "../tensor/typed-array.js";
import type { ReadRunOptions } from "./options.js";

/** Where a run starts. What it keeps is its own: tensors may be freed, or change, while the model is waited for. */
export interface Start {
  readonly sample: Operand;
  readonly batch: number;
  /** The noise that it starts from, or that it was noised with. */
  readonly noise: Values;
  readonly generators: readonly Generator[];
}

/** @param timestep the run's first one */
export function readStart(options: ReadRunOptions, scheduler: Scheduler, timestep: number): Start {
  const { dims, type, generator, strength, known, mask } = options;
  const fromKnown = options.sample === undefined && strength !== undefined && dims === undefined;
  const image = fromKnown ? known : options.sample;
  if (image !== undefined && dims !== undefined) {
    throw new TypeError('"dims" and "sample" exclude each other: a run starts from noise of a shape, or from a tensor');
  }
  if (image === undefined) {
    if (strength !== undefined) {
      throw new TypeError('"strength" expected a sample beside it, the image to start from, got none');
    }
    if (dims === undefined) {
      throw new TypeError(
        '"dims" or "sample" expected: give either the shape of the noise to start from, or a tensor; got neither',
      );
    }
    return startFromDims(checkDims(dims, "dims"), type ?? "float32", generator);
  }
  if (type !== undefined) throw new TypeError('"type" expected dims beside it, got a sample, which has a type');
  const sample = readOperand(useInstance(), image, fromKnown ? "known" : "sample");
  const batch = sample.dims ? sample.dims[0]! : 1;
  const generators = readGeneratorList(generator, batch);
  if (strength === undefined) return { sample, batch, noise: copyValues(sample, "sample"), generators };
  const noise = drawNoiseLike(generators, sample);
  // As in diffusers, inpainting with strength 1 starts from noise alone.
  if (strength === 1 && mask !== undefined) {
    const start = makeLike(useInstance(), sample);
    copyInto(start.values, noise, 0);
    return { sample: start, batch, noise, generators };
  }
  const noised = scheduler.addNoise(sample.tensor as Tensor, noise, timestep);
  return { sample: readOperand(useInstance(), noised, "sample"), batch, noise, generators };
}

function startFromDims(dims: number[], type: DType, generator: unknown): Start {
  const batch = dims[0]!;
  const generators = readGeneratorList(generator, batch);
  const noise = drawNoise(generators, type, dims);
  const data = part(noise, 0, noise.length).slice();
  return { sample: readOperand(useInstance(), { data, dims, type }, "sample"), batch, noise, generators };
}

/** The generators of a run: one, or one for each batch element; one seeded from crypto where none is given. */
function readGeneratorList(generator: unknown, batch: number): readonly Generator[] {
  return generator === undefined ? [seedGenerator()] : readGenerators(generator, batch);
}

export function drawNoiseLike(generators: readonly Generator[], x: Operand): Values {
  return drawNoise(generators, x.dtype, x.dims ?? [x.length]);
}

/** Noise of a shape: from one generator as a whole, from several an element each. */
function drawNoise(generators: readonly Generator[], type: DType, dims: readonly number[]): Values {
  if (generators.length === 1) return generators[0]!.randn(dims, { type }).data;
  const data = newValues(type, sizeOf(dims), "dims");
  const element = [1, ...dims.slice(1)];
  const length = sizeOf(element);
  generators.forEach((generator, i) => {
    generator.randn(element, { type, out: part(data, i * length, length) });
  });
  return data;
}
