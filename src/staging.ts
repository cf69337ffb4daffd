// Work on tensors of any size, place and type, piece by piece: a piece of each input is copied into a fixed buffer of
// the module, the kernel runs on it while it is in the cache, and the result is copied out. Tensors that live in the
// module's own memory are worked on where they are. Halves become floats on the way in, and are rounded once on the
// way out: kernels see float32 only.

import type { Coefficients } from "./coefficients.js";
import { type Core, useCore } from "./core.js";
import type { Values } from "./tensor.js";

// The staging buffers, by use. A piece's result takes the place of its sample.
const SAMPLE = 0;
const MODEL_OUTPUT = 1;
const CONDITIONAL = 2;
const NOISE = 3;
const ORIGINAL = 4;
const HALVES = 5; // on their way from or to a tensor
const STAGES = 6;

/** Where torch's generator stands; it is copied into the module for a call. */
export interface RandomState {
  readonly words: Uint32Array;
  position: number;
  left: number;
  hasCached: boolean;
  cached: number;
}

/** torch computes tensors below this size in another way, and draws the last values of any other in blocks of it. */
const BLOCK = 16;

let buffer: ArrayBuffer | undefined;
let stages: Float32Array[] = [];
let halves: Uint16Array;
let stateWords: Uint32Array;

/** The module, with views of its buffers that are made again after its memory has moved. */
function open(): Core {
  const core = useCore();
  if (core.memory.buffer !== buffer) {
    buffer = core.memory.buffer;
    const length = core.pieceLength();
    stages = Array.from({ length: STAGES }, (_, i) => new Float32Array(buffer!, core.stage(i), length));
    halves = new Uint16Array(buffer, core.stage(HALVES), length);
    stateWords = new Uint32Array(buffer, core.randomWords(), 624);
  }
  return core;
}

function isResident(values: Values): boolean {
  return values.buffer === buffer;
}

function isHalf(values: Values): values is Uint16Array {
  return values.BYTES_PER_ELEMENT === 2;
}

function addressIn(values: Values, start: number): number {
  return values.byteOffset + start * values.BYTES_PER_ELEMENT;
}

function copyIn(target: Values, values: Values, start: number, n: number): number {
  target.set(n === values.length ? values : values.subarray(start, start + n));
  return target.byteOffset;
}

function copyOut(source: Values, values: Values, start: number, n: number): void {
  values.set(n === source.length ? source : source.subarray(0, n), start);
}

/** The address of `n` floats from `start` on: in place if they are in the module's memory, else copied to a stage. */
function stageIn(core: Core, stage: number, values: Values, start: number, n: number): number {
  if (isHalf(values)) {
    const source = isResident(values) ? addressIn(values, start) : copyIn(halves, values, start, n);
    core.decode(stages[stage]!.byteOffset, source, n);
    return stages[stage]!.byteOffset;
  }
  return isResident(values) ? addressIn(values, start) : copyIn(stages[stage]!, values, start, n);
}

/** Whether kernels work on `values` where they are. */
function isInPlace(values: Values): boolean {
  return isResident(values) && !isHalf(values);
}

/** Where a kernel stores a piece of `values`. */
function resultAddress(stage: number, values: Values, start: number): number {
  return isInPlace(values) ? addressIn(values, start) : stages[stage]!.byteOffset;
}

/** Hands `n` floats at `address`, which `resultAddress` told, over to `values`; rounded to halves if it holds such. */
function stageOut(core: Core, stage: number, address: number, values: Values, start: number, n: number): void {
  if (isHalf(values)) {
    const resident = isResident(values);
    core.encode(resident ? addressIn(values, start) : halves.byteOffset, address, n);
    if (!resident) copyOut(halves, values, start, n);
  } else if (!isResident(values)) {
    copyOut(stages[stage]!, values, start, n);
  }
}

/** Rounds floats to the values of halves, in place. */
function roundToHalf(core: Core, address: number, n: number): void {
  core.encode(halves.byteOffset, address, n);
  core.decode(address, halves.byteOffset, n);
}

/** The size of the next piece: none but the last is a multiple of a block, and that holds at least one. */
function nextPiece(core: Core, remaining: number): number {
  const length = core.pieceLength();
  if (remaining <= length) return remaining;
  return remaining - length < BLOCK ? length - BLOCK : length;
}

function enterRandom(core: Core, state: RandomState): void {
  stateWords.set(state.words);
  core.setRandom(state.position, state.left, state.hasCached, state.cached);
}

function leaveRandom(core: Core, state: RandomState): void {
  state.words.set(stateWords);
  state.position = core.randomPosition();
  state.left = core.randomLeft();
  state.hasCached = core.randomHasCached() !== 0;
  state.cached = core.randomCached();
}

/** Seeds a generator's state: MT19937's initialisation from one word. */
export function seedState(state: RandomState, seed: number): void {
  const core = open();
  core.seedRandom(seed);
  state.words.set(stateWords);
  state.position = 0;
  state.left = 1;
  state.hasCached = false;
  state.cached = 0;
}

/** What `draw` fills a tensor with. */
export type Distribution = "normal" | "uniform" | "word";

/** Draws a piece of a tensor of `total` values; for a tensor of halves in torch's order for these. */
function drawPiece(
  core: Core,
  distribution: Distribution,
  half: boolean,
  address: number,
  n: number,
  total: number,
): void {
  if (distribution === "word") core.drawWords(address, n);
  else if (distribution === "uniform") core.drawUniforms(address, n, half);
  else if (total < BLOCK) core.drawFewNormals(address, n);
  else core.drawNormals(address, n, half);
}

/** Fills `out` with values of a generator, in torch's order; words go into a Float32Array as bits. */
export function draw(state: RandomState, distribution: Distribution, out: Values): void {
  if (out.length === 0) return;
  const core = open();
  enterRandom(core, state);
  for (let start = 0, n = 0; start < out.length; start += n) {
    n = nextPiece(core, out.length - start);
    const address = resultAddress(NOISE, out, start);
    drawPiece(core, distribution, isHalf(out), address, n, out.length);
    stageOut(core, NOISE, address, out, start, n);
  }
  leaveRandom(core, state);
}

/** The inputs of an update. With guidance the model output holds the unconditional half, then the conditional one. */
export interface Inputs {
  sample: Values;
  modelOutput: Values;
  guided: boolean;
  guidance: number;
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
  out: Values,
  original: Values | null,
  inputs: Inputs,
  noise: Values | readonly RandomState[] | null,
  coefficients: readonly Coefficients[],
  count: number,
  batch: number,
  half: boolean,
): void {
  const core = open();
  const length = out.length;
  if (length === 0) return;
  const { sample, modelOutput, guided, guidance } = inputs;
  const elementLength = length / batch;
  const states = Array.isArray(noise) ? (noise as readonly RandomState[]) : null;
  // What one draw of noise covers: the whole tensor, or a batch element.
  const drawLength = states !== null && states.length > 1 ? elementLength : length;
  // What shares coefficients.
  const sharedLength = count > 1 ? elementLength : length;
  const halfNoise = half || isHalf(out);

  // Nothing to copy, to draw or to round: one piece.
  const inPlace =
    !half &&
    states === null &&
    original === null &&
    [out, sample, modelOutput, noise as Values | null].every((values) => values === null || isInPlace(values));

  for (let from = 0, drawn = 0; from < length; from += drawLength, drawn++) {
    const state = states === null ? null : states[drawn]!;
    if (state !== null) enterRandom(core, state);
    const to = from + drawLength;
    for (let start = from, n = 0; start < to; start += n) {
      n = inPlace ? to - start : nextPiece(core, to - start);
      const x = stageIn(core, SAMPLE, sample, start, n);
      const m = stageIn(core, MODEL_OUTPUT, modelOutput, start, n);
      const cond = guided ? stageIn(core, CONDITIONAL, modelOutput, length + start, n) : 0;
      let z = 0;
      if (state !== null) {
        z = stages[NOISE]!.byteOffset;
        drawPiece(core, "normal", halfNoise, z, n, drawLength);
        if (halfNoise) roundToHalf(core, z, n);
      } else if (noise !== null) z = stageIn(core, NOISE, noise as Values, start, n);
      const prev = resultAddress(SAMPLE, out, start);
      const x0 = original === null ? 0 : resultAddress(ORIGINAL, original, start);

      // The stretches of this piece that share coefficients.
      for (let at = start, length = 0; at < start + n; at += length) {
        const index = Math.floor(at / sharedLength);
        length = Math.min((index + 1) * sharedLength, start + n) - at;
        const offset = (at - start) * 4;
        const { withSample, q, w, r, a, b, c, d } = coefficients[index]!;
        const second = cond === 0 ? 0 : cond + offset;
        if (x0 !== 0) {
          core.original(x0 + offset, x + offset, m + offset, second, length, guidance, withSample, q, w, r);
        }
        const third = z === 0 ? 0 : z + offset;
        const u = a * w;
        const limit = Math.abs(a) * r;
        core.update(
          prev + offset,
          x + offset,
          m + offset,
          second,
          third,
          length,
          guidance,
          withSample,
          q,
          u,
          limit,
          b,
          c,
          d,
        );
      }
      storeResult(core, SAMPLE, prev, out, start, n, half);
      if (original !== null) storeResult(core, ORIGINAL, x0, original, start, n, half);
    }
    if (state !== null) leaveRandom(core, state);
  }
}

function storeResult(
  core: Core,
  stage: number,
  address: number,
  values: Values,
  start: number,
  n: number,
  half: boolean,
): void {
  if (half && !isHalf(values)) roundToHalf(core, address, n);
  stageOut(core, stage, address, values, start, n);
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
  const core = open();
  const rank = ratio * (length - 1);
  const index = Math.floor(rank);
  core.beginSelection(index);
  for (let pass = 0; pass < 3; pass++) {
    for (let at = start, n = 0; at < start + length; at += n) {
      n = nextPiece(core, start + length - at);
      if (pass === 0 || n < length) predictPiece(core, inputs, coefficients, at, n);
      core.count(stages[ORIGINAL]!.byteOffset, n);
    }
    core.narrow();
  }
  const low = core.selected();
  const weight = rank - index;
  return weight === 0 ? low : interpolate(low, core.selectedNext(), weight);
}

function predictPiece(core: Core, inputs: Inputs, { withSample, q, w }: Coefficients, start: number, n: number): void {
  const { sample, modelOutput, guided, guidance } = inputs;
  const x = stageIn(core, SAMPLE, sample, start, n);
  const m = stageIn(core, MODEL_OUTPUT, modelOutput, start, n);
  const cond = guided ? stageIn(core, CONDITIONAL, modelOutput, modelOutput.length / 2 + start, n) : 0;
  core.original(stages[ORIGINAL]!.byteOffset, x, m, cond, n, guidance, withSample, q, w, 0);
}

/**
 * The deviation of the conditional model output over that of the guided one, over one batch element; 1 where either
 * is 0.
 */
export function guidanceDeviationRatio(inputs: Inputs, start: number, length: number): number {
  const core = open();
  const { modelOutput, guidance } = inputs;
  for (let at = start, n = 0; at < start + length; at += n) {
    n = nextPiece(core, start + length - at);
    const m = stageIn(core, MODEL_OUTPUT, modelOutput, at, n);
    const cond = stageIn(core, CONDITIONAL, modelOutput, modelOutput.length / 2 + at, n);
    if (at === start) core.beginDeviations(m, cond, guidance);
    core.addDeviations(m, cond, n, guidance);
  }
  return core.deviationRatio(length);
}

/** out = known + weight (sample - known): `known` where the weight is 0, `sample` where it is 1. */
export function blendTensor(out: Values, sample: Values, known: Values, weight: Values): void {
  const core = open();
  for (let start = 0, n = 0; start < out.length; start += n) {
    n = nextPiece(core, out.length - start);
    const s = stageIn(core, SAMPLE, sample, start, n);
    const k = stageIn(core, MODEL_OUTPUT, known, start, n);
    const w = stageIn(core, NOISE, weight, start, n);
    const result = resultAddress(SAMPLE, out, start);
    core.blend(result, s, k, w, n);
    stageOut(core, SAMPLE, result, out, start, n);
  }
}

/** The values of a tensor as floats, in new memory. */
export function toFloats(values: Values): Float32Array {
  if (!isHalf(values)) return values.slice();
  const core = open();
  const floats = new Float32Array(values.length);
  for (let start = 0, n = 0; start < values.length; start += n) {
    n = nextPiece(core, values.length - start);
    stageIn(core, SAMPLE, values, start, n);
    copyOut(stages[SAMPLE]!, floats, start, n);
  }
  return floats;
}

/** Between two magnitudes, infinite ones included. */
function interpolate(low: number, high: number, weight: number): number {
  return low === high ? low : low + (high - low) * weight;
}
