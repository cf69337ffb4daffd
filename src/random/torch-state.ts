// torch's format of a generator's state, beside ours.

import type { RandomState } from "../kernels/noise.js";

/** Bytes of a state in torch's format. */
export const STATE_BYTES = 5056;

// Positions in it, in words of 32 bits.
const SEED = 0; // 64 bits
const LEFT = 2;
const SEEDED = 3;
const NEXT = 4;
const MT19937 = 6; // each word in the lower half of 64 bits
const CACHED = 1256; // 64 bits
const HAS_CACHED = 1260;

/** Words of MT19937. */
const WORDS = 624;

/** What follows the words of MT19937: where torch has it, and where our state does. */
const REST = [
  [NEXT, WORDS],
  [LEFT, WORDS + 1],
  [HAS_CACHED, WORDS + 2],
  [CACHED, WORDS + 4],
  [CACHED + 1, WORDS + 5],
] as const;

export function exportState(state: RandomState, initialSeed: bigint): InstanceType<typeof Uint8Array> {
  const words = new Uint32Array(STATE_BYTES / 4);
  new BigUint64Array(words.buffer)[SEED] = initialSeed;
  words[SEEDED] = 1;
  for (let i = 0; i < WORDS; i++) words[MT19937 + 2 * i] = state[i]!;
  for (const [theirs, ours] of REST) words[theirs] = state[ours]!;
  return new Uint8Array(words.buffer);
}

/** Takes over a state; the seed that it was started from is returned. @throws RangeError for bytes that hold none */
export function importState(state: RandomState, bytes: Uint8Array): bigint {
  const words = new Uint32Array(bytes.slice().buffer);
  const left = words[LEFT]!;
  const next = words[NEXT]!;
  // A new seed leaves 1 to hand out, and nothing else does before the words are renewed.
  if (left < 1 || next + left > WORDS + 1) {
    throw new RangeError(
      `"state" expected ${STATE_BYTES} bytes as getState or torch.Generator.get_state returns them, got others: their "left" is ${left} and their "next" ${next}`,
    );
  }
  for (let i = 0; i < WORDS; i++) state[i] = words[MT19937 + 2 * i]!;
  for (const [theirs, ours] of REST) state[ours] = words[theirs]!;
  return new BigUint64Array(words.buffer)[SEED]!;
}
