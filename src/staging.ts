// Work on tensors of any size, place and type, piece by piece: a piece of each input is copied into a fixed buffer of
// the module, the kernel runs on it while it is in the cache, and the result is copied out. Tensors that live in the
// module's own memory are worked on where they are. Halves become floats on the way in, and are rounded once on the
// way out: kernels see float32 only.

import type { Coefficients } from "./coefficients.js";
import { type Core, useCore, useMemory } from "./core.js";
import { isHalf, type Stored, storedAs, type Values } from "./tensor.js";

// The staging buffers, by use. A piece's result takes the place of its sample.
const SAMPLE = 0;
const MODEL_OUTPUT = 1;
const CONDITIONAL = 2;
const NOISE = 3;
const ORIGINAL = 4;
const HALVES = 5; // on their way from or to a tensor
const STAGES = 6;

/** Where torch's generator stands: the 630 words that the module's random.ts explains. */
export type RandomState = Uint32Array;

export const STATE_WORDS = 630;

/** torch computes tensors below this size in another way, and draws the last values of any other in blocks of it. */
const BLOCK = 16;

let core: Core;
let buffer: ArrayBuffer | undefined;
let stages: Float32Array[] = [];
let halves: Uint16Array;
let randomState: Uint32Array;
/** The number of elements that a stage holds. */
let piece: number;

/** Takes the module into use, with views of its buffers that are made again after its memory has moved. */
function open(): void {
  const memory = useMemory();
  if (memory === buffer) return;
  buffer = memory;
  core = useCore();
  piece = (core.stage(1) - core.stage(0)) / 4;
  stages = Array.from({ length: STAGES }, (_, i) => new Float32Array(memory, core.stage(i), piece));
  halves = new Uint16Array(memory, core.stage(HALVES), piece);
  randomState = new Uint32Array(memory, core.randomState(), STATE_WORDS);
}

function isResident(tensor: Stored): boolean {
  return tensor.buffer === buffer;
}

function addressOf(stage: number): number {
  return stages[stage]!.byteOffset;
}

function addressIn({ values }: Stored, start: number): number {
  return values.byteOffset + start * values.BYTES_PER_ELEMENT;
}

function copyIn(target: Values, { values }: Stored, start: number, n: number): number {
  target.set(n === values.length ? values : values.subarray(start, start + n));
  return target.byteOffset;
}

function copyOut(source: Values, { values }: Stored, start: number, n: number): void {
  values.set(n === source.length ? source : source.subarray(0, n), start);
}

/** The address of `n` floats from `start` on: in place if they are in the module's memory, else copied to a stage. */
function stageIn(stage: number, tensor: Stored, start: number, n: number): number {
  const source = isResident(tensor)
    ? addressIn(tensor, start)
    : copyIn(isHalf(tensor.values) ? halves : stages[stage]!, tensor, start, n);
  if (!isHalf(tensor.values)) return source;
  core.decode(addressOf(stage), source, n);
  return addressOf(stage);
}

/** Whether kernels work on a tensor where it is. */
function isInPlace(tensor: Stored): boolean {
  return isResident(tensor) && !isHalf(tensor.values);
}

/** Where a kernel stores a piece of a tensor. */
function resultAddress(stage: number, tensor: Stored, start: number): number {
  return isInPlace(tensor) ? addressIn(tensor, start) : addressOf(stage);
}

/** Hands `n` floats of a stage over to a tensor, if they are not there already; rounded to halves if it holds such. */
function stageOut(stage: number, tensor: Stored, start: number, n: number): void {
  if (isHalf(tensor.values)) {
    const resident = isResident(tensor);
    core.encode(resident ? addressIn(tensor, start) : halves.byteOffset, addressOf(stage), n);
    if (!resident) copyOut(halves, tensor, start, n);
  } else if (!isResident(tensor)) {
    copyOut(stages[stage]!, tensor, start, n);
  }
}

/** Rounds floats to the values of halves, in place. */
function roundToHalf(address: number, n: number): void {
  core.encode(halves.byteOffset, address, n);
  core.decode(address, halves.byteOffset, n);
}

/** The size of the next piece: none but the last is a multiple of a block, and that holds at least one. */
function nextPiece(remaining: number): number {
  if (remaining <= piece) return remaining;
  return remaining - piece < BLOCK ? piece - BLOCK : piece;
}

/** Seeds a generator's state: MT19937's initialisation from one word. */
export function seedState(state: RandomState, seed: number): void {
  open();
  core.seedRandom(seed);
  state.set(randomState);
}

/** What `draw` fills a tensor with. */
export type Distribution = "normal" | "uniform" | "word";

/** Draws a piece of a tensor of `total` values; for a tensor of halves in torch's order for these. */
function drawPiece(distribution: Distribution, half: boolean, address: number, n: number, total: number): void {
  if (distribution === "word") core.drawWords(address, n);
  else if (distribution === "uniform") core.drawUniforms(address, n, half);
  else if (total < BLOCK) core.drawFewNormals(address, n);
  else core.drawNormals(address, n, half);
}

/** Fills `out` with values of a generator, in torch's order; words go into a Float32Array as bits. */
export function draw(state: RandomState, distribution: Distribution, out: Stored): void {
  open();
  randomState.set(state);
  const { length } = out.values;
  for (let start = 0, n = 0; start < length; start += n) {
    n = nextPiece(length - start);
    drawPiece(distribution, isHalf(out.values), resultAddress(NOISE, out, start), n, length);
    stageOut(NOISE, out, start, n);
  }
  state.set(randomState);
}

/** The inputs of an update. With guidance the model output holds the unconditional half, then the conditional one. */
export interface Inputs {
  sample: Stored;
  modelOutput: Stored;
  guidance: number | undefined;
}

/** The address of `n` values of the conditional model output; 0 where there is no guidance. */
function stageConditional({ modelOutput, guidance }: Inputs, start: number, n: number): number {
  return guidance === undefined ? 0 : stageIn(CONDITIONAL, modelOutput, modelOutput.values.length / 2 + start, n);
}

/**
 * Computes `out`, and the predicted original sample if it is wanted, from the inputs and noise.
 *
 * @param noise a tensor, or generators: one for all, or one for each batch element
 * @param coefficients `count` records: one for all, or one for each batch element
 * @param batch number of batch elements
 * @param half treat floats as halves: noise is drawn as such, and results are rounded to their values
 */
export function updateTensor(
  out: Stored,
  original: Stored | null,
  inputs: Inputs,
  noise: Stored | readonly RandomState[] | null,
  coefficients: readonly Coefficients[],
  count: number,
  batch: number,
  half: boolean,
): void {
  open();
  const { length } = out.values;
  const { sample, modelOutput, guidance = 0 } = inputs;
  const states = Array.isArray(noise) ? (noise as readonly RandomState[]) : null;
  // What one draw of noise covers, and what shares coefficients: the whole tensor, or a batch element.
  const drawLength = states !== null && states.length > 1 ? length / batch : length;
  const sharedLength = count > 1 ? length / batch : length;
  const halfNoise = half || isHalf(out.values);

  // Nothing to copy, to draw or to round: one piece.
  const inPlace =
    !half && noise === null && original === null && isInPlace(out) && isInPlace(sample) && isInPlace(modelOutput);

  for (let from = 0, drawn = 0; from < length; from += drawLength, drawn++) {
    const state = states?.[drawn];
    if (state) randomState.set(state);
    const to = from + drawLength;
    for (let start = from, n = 0; start < to; start += n) {
      n = inPlace ? to - start : nextPiece(to - start);
      const x = stageIn(SAMPLE, sample, start, n);
      const m = stageIn(MODEL_OUTPUT, modelOutput, start, n);
      const cond = stageConditional(inputs, start, n);
      let z = 0;
      if (state) {
        z = addressOf(NOISE);
        drawPiece("normal", halfNoise, z, n, drawLength);
        if (halfNoise) roundToHalf(z, n);
      } else if (noise !== null) z = stageIn(NOISE, noise as Stored, start, n);
      const result = resultAddress(SAMPLE, out, start);
      // Noise is added at last, and `out` may be the tensor that holds it.
      const prev = z === 0 ? result : addressOf(SAMPLE);
      const x0 = original === null ? 0 : resultAddress(ORIGINAL, original, start);

      // The stretches of this piece that share coefficients.
      for (let at = start, length = 0; at < start + n; at += length) {
        const index = Math.floor(at / sharedLength);
        length = Math.min((index + 1) * sharedLength, start + n) - at;
        const offset = (at - start) * 4;
        const record = coefficients[index]!;
        const { withSample, q, w, r, a, b, c, d } = record;
        const second = cond === 0 ? 0 : cond + offset;
        if (x0 !== 0) predict(x0 + offset, x + offset, m + offset, second, length, guidance, record, r);
        core.update(
          prev + offset,
          x + offset,
          m + offset,
          second,
          length,
          guidance,
          withSample,
          q,
          a * w,
          Math.abs(a) * r,
          b,
          c,
        );
        if (z !== 0) core.update(result + offset, prev + offset, z + offset, 0, length, 0, true, 0, 0, 0, 1, d);
      }
      storeResult(SAMPLE, result, out, start, n, half);
      if (original !== null) storeResult(ORIGINAL, x0, original, start, n, half);
    }
    state?.set(randomState);
  }
}

/** The predicted original sample, within [-bound, bound]; not clamped where that is 0. */
function predict(
  out: number,
  x: number,
  m: number,
  cond: number,
  n: number,
  guidance: number,
  { withSample, q, w }: Coefficients,
  bound: number,
): void {
  core.update(out, x, m, cond, n, guidance, withSample, q, w, bound || Infinity, 0, 0);
}

function storeResult(stage: number, address: number, tensor: Stored, start: number, n: number, half: boolean): void {
  if (half && !isHalf(tensor.values)) roundToHalf(address, n);
  stageOut(stage, tensor, start, n);
}

/**
 * The quantile of |x0| over one batch element, x0 not clamped, interpolated linearly between order statistics;
 * NaN when any x0 is NaN.
 */
export function originalQuantile(
  inputs: Inputs,
  coefficients: Coefficients,
  start: number,
  length: number,
  ratio: number,
): number {
  open();
  const { sample, modelOutput, guidance = 0 } = inputs;
  const rank = ratio * (length - 1);
  const index = Math.floor(rank);
  core.beginSelection(index);
  for (let pass = 0; pass < 3; pass++) {
    for (let at = start, n = 0; at < start + length; at += n) {
      n = nextPiece(start + length - at);
      if (pass === 0 || n < length) {
        const x = stageIn(SAMPLE, sample, at, n);
        const m = stageIn(MODEL_OUTPUT, modelOutput, at, n);
        predict(addressOf(ORIGINAL), x, m, stageConditional(inputs, at, n), n, guidance, coefficients, 0);
      }
      core.count(addressOf(ORIGINAL), n);
    }
    core.narrow();
  }
  const low = core.selected();
  const weight = rank - index;
  const high = weight === 0 ? low : core.selectedNext();
  return low === high ? low : low + (high - low) * weight; // infinite ones too
}

/**
 * The deviation of the conditional model output over that of the guided one, over one batch element; 1 where either
 * is 0.
 */
export function guidanceDeviationRatio(inputs: Inputs, start: number, length: number): number {
  open();
  for (let at = start, n = 0; at < start + length; at += n) {
    n = nextPiece(start + length - at);
    const cond = stageConditional(inputs, at, n);
    const guided = addressOf(MODEL_OUTPUT);
    core.blend(guided, stageIn(MODEL_OUTPUT, inputs.modelOutput, at, n), cond, 0, inputs.guidance!, n);
    if (at === start) core.beginDeviations(cond, guided);
    core.addDeviations(0, cond, n);
    core.addDeviations(1, guided, n);
  }
  return core.deviationRatio(length);
}

/** out = known + weight (sample - known): `known` where the weight is 0, `sample` where it is 1. */
export function blendTensor(out: Stored, sample: Stored, known: Stored, weight: Stored): void {
  open();
  const { length } = out.values;
  for (let start = 0, n = 0; start < length; start += n) {
    n = nextPiece(length - start);
    const s = stageIn(SAMPLE, sample, start, n);
    const k = stageIn(MODEL_OUTPUT, known, start, n);
    core.blend(resultAddress(SAMPLE, out, start), k, s, stageIn(NOISE, weight, start, n), 0, n);
    stageOut(SAMPLE, out, start, n);
  }
}

/** Values as floats, in new memory. */
export function toFloats(values: Values): Float32Array {
  if (!isHalf(values)) return values.slice() as Float32Array;
  open();
  const source = storedAs(values);
  const floats = new Float32Array(values.length);
  const result = storedAs(floats);
  for (let start = 0, n = 0; start < values.length; start += n) {
    n = nextPiece(values.length - start);
    stageIn(SAMPLE, source, start, n);
    copyOut(stages[SAMPLE]!, result, start, n);
  }
  return floats;
}

/** Replaces values by a function of them. */
export function replaceValues(kernel: "cosines" | "exponentials", values: Float64Array): Float64Array {
  open();
  const stage = new Float64Array(buffer!, addressOf(SAMPLE), piece / 2);
  for (let start = 0; start < values.length; start += stage.length) {
    const part = values.subarray(start, start + stage.length);
    stage.set(part);
    core[kernel](stage.byteOffset, part.length);
    part.set(stage.subarray(0, part.length));
  }
  return values;
}
