// The module's fixed memory: staging buffers, the histogram of the quantile search, the sums of the guidance's
// deviations and the state of the random generator. Every fixed address is handed out here, and nowhere else.

/** Elements a staging buffer holds: a multiple of 16, and small enough that four buffers stay in a level-2 cache. */
export const PIECE: i32 = 16384;

/** Staging buffers: what each is for is the host's affair. */
const STAGES: i32 = 6;

const stages: usize = memory.data(16384 * 4 * 6, 16);

/** 2,048 counters of 32 bits. */
export const histogram: usize = memory.data(2048 * 4, 16);

/** 16 sums in float64. */
export const sums: usize = memory.data(128, 16);

/** The state words of MT19937. */
export const words: usize = memory.data(624 * 4, 16);

/** Address of staging buffer `index`. Each holds `pieceLength()` elements of four bytes. */
export function stage(index: i32): usize {
  assert(<u32>index < <u32>STAGES);
  return stages + ((<usize>index * <usize>PIECE) << 2);
}

/** Number of elements in one staging buffer. */
export function pieceLength(): i32 {
  return PIECE;
}

/** Address of the 624 state words of the random generator. */
export function randomWords(): usize {
  return words;
}

/** Memory for a resident tensor. Traps when there is none left. */
export function allocate(bytes: usize): usize {
  return heap.alloc(bytes);
}

/** Gives back what `allocate` returned. */
export function free(address: usize): void {
  heap.free(address);
}
