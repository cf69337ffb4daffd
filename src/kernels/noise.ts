// Drawing from a generator, in torch's order: blocks of 16 values, the last 16 drawn again where the count is no multiple
// of 16, and fewer than 16 values one by one.

import { type Instance, STAGE } from "../module/instance.js";
import type { Stored } from "../tensor/tensor.js";
import { resultAddress, roundToHalf, stageAddress, stageOut } from "./pieces.js";

/** The state of a generator: the words that assembly/random.ts explains. */
export type RandomState = Uint32Array;

/** torch computes tensors below this size in another way, and draws the last values of any other in blocks of it. */
const BLOCK = 16;

/** A new state, seeded: MT19937's initialisation from one word. */
export function seededState(core: Instance, seed: number): RandomState {
  core.exports.seedRandom(seed);
  return core.randomState.slice();
}

/** What `draw` fills a tensor with. */
export type Distribution = "normal" | "uniform" | "word";

/** Fills `out` with values of a generator; words go into a Float32Array as bits. */
export function draw(core: Instance, state: RandomState, distribution: Distribution, out: Stored): void {
  core.randomState.set(state);
  const { length, half } = out;
  for (let start = 0, n = 0; start < length; start += n) {
    n = Math.min(length - start, core.pieceLength);
    // All pieces but the last are multiples of a block, and the last holds at least one.
    const rest = length - start - n;
    if (rest > 0 && rest < BLOCK) n -= BLOCK;
    const address = resultAddress(core, STAGE.noise, out, start);
    if (distribution === "word") core.exports.drawWords(address, n);
    else if (distribution === "uniform") core.exports.drawUniforms(address, n, half);
    else drawNormals(core, address, n, length, half);
    stageOut(core, STAGE.noise, address, out, start, n, false);
  }
  state.set(core.randomState);
}

function drawNormals(core: Instance, address: number, n: number, length: number, half: boolean): void {
  if (length < BLOCK) core.exports.drawFewNormals(address, n);
  else core.exports.drawNormals(address, n, half);
}

/** Normal values of a generator for a tensor that is worked on piece by piece, whatever the size of the pieces. */
export class NormalStream {
  readonly #core: Instance;
  readonly #half: boolean;
  #state!: RandomState;
  #length!: number;
  /** How many of the tensor's values have been drawn. */
  #drawn!: number;
  /** How many of those have been taken. */
  #taken!: number;
  /** Where the values taken last end in the stage; those drawn ahead follow. */
  #end = 0;

  /** @param half values are those of halves, in torch's order for them */
  constructor(core: Instance, half: boolean) {
    this.#core = core;
    this.#half = half;
  }

  /** Starts a tensor of `length` values. */
  begin(state: RandomState, length: number): void {
    this.#state = state;
    this.#length = length;
    this.#drawn = this.#taken = 0;
    this.#core.randomState.set(state);
  }

  /** Puts the next `n` values of the tensor in the noise stage, `at` values from its beginning. */
  next(n: number, at: number): void {
    const address = stageAddress(this.#core, STAGE.noise) + 4 * at;
    const ahead = this.#drawn - this.#taken;
    if (ahead > 0) this.#core.stages[STAGE.noise]!.whole.copyWithin(at, this.#end, this.#end + ahead);
    this.#taken += n;
    const missing = this.#taken - this.#drawn;
    if (missing > 0) {
      let count = Math.ceil(missing / BLOCK) * BLOCK;
      if (this.#drawn + count + BLOCK > this.#length) count = this.#length - this.#drawn;
      const first = address + 4 * ahead;
      drawNormals(this.#core, first, count, this.#length, this.#half);
      if (this.#half) roundToHalf(this.#core, first, count);
      this.#drawn += count;
    }
    this.#end = at + n;
    if (this.#taken === this.#length) this.#state.set(this.#core.randomState);
  }
}
