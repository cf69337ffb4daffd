// The module's fixed memory: staging buffers, the histogram of the quantile search, the sums of the guidance's
// deviations and the state of the random generator. Every fixed address is handed out here, and nowhere else; what
// lies beyond belongs to the host.

/**
 * Elements a staging buffer holds: a multiple of 16, and small enough that four buffers stay in a level-2 cache. No
 * multiple of a page: copies between places that lie 16 bytes apart within their pages take ten times as long on some
 * processors (measured on AMD's Zen 3), and this way no tensor meets its buffer so in all of its pieces.
 */
const PIECE: usize = 16400;

const stages: usize = memory.data(<i32>PIECE * 4 * 6, 16);

/** 2,048 counters of 32 bits. */
export const histogram: usize = memory.data(2048 * 4, 16);

/** Two records of nine float64: a first value, four sums of differences from it, four sums of their squares. */
export const sums: usize = memory.data(144, 16);

/** The state of the random generator: 624 words of MT19937, and six words that `random` explains. */
export const randomWords: usize = memory.data(630 * 4, 16);

/** Address of staging buffer `index`, from 0 to 5. They lie side by side, and each holds elements of four bytes. */
export function stage(index: i32): usize {
  return stages + ((<usize>index * PIECE) << 2);
}

/** Address of the 630 words of the random generator's state. */
export function randomState(): usize {
  return randomWords;
}

/** Address of the first byte that the module does not use itself. */
export function heapBase(): usize {
  return __heap_base;
}

/** Adds pages of 64 KiB to the memory. Returns -1 when there are none left. */
export function grow(pages: i32): i32 {
  return memory.grow(pages);
}
