// The module's fixed memory. Every address that is written to is handed out here; what lies beyond belongs to the host.

/**
 * Elements a stage holds: a multiple of 16, and small enough that four stages stay in a level-2 cache. No multiple of a
 * page: copies between places that lie 16 bytes apart within their pages take ten times as long on some processors
 * (measured on AMD's Zen 3), and this way no tensor meets its stage so in all of its pieces.
 */
const PIECE: usize = 16400;

/** Stages: buffers through which tensors pass in pieces. */
const STAGES: i32 = 6;

const stages: usize = memory.data(<i32>PIECE * 4 * 6, 16);

/** Records of coefficients, and a float64 for each of their batch elements. */
const RECORDS: i32 = 256;

/** Bytes of a record: eleven float32, which update.ts explains. */
export const RECORD_BYTES: usize = 44;

export const coefficients: usize = memory.data(256 * 44, 16);

/** One float64 for each batch element of a call: its quantile, or its ratio of deviations. */
export const statistics: usize = memory.data(256 * 8, 16);

/** 2,048 counters of 32 bits, and one for values that are not counted. */
export const histogram: usize = memory.data(2049 * 4, 16);

/** Two records of nine float64: a first value, four sums of differences from it, four sums of their squares. */
export const sums: usize = memory.data(144, 16);

/** The state of the random generator: 624 words of MT19937, and six words that random.ts explains. */
const RANDOM_WORDS: i32 = 630;

export const randomWords: usize = memory.data(630 * 4, 16);

/** Four words: two uniforms of 53 bits. */
export const uniformPair: usize = memory.data(16, 16);

/** Address of stage `index`. The stages lie side by side, and each holds elements of four bytes. */
export function stage(index: i32): usize {
  return stages + ((<usize>index * PIECE) << 2);
}

export function stageCount(): i32 {
  return STAGES;
}

/** Address of the coefficient records. */
export function coefficientRecords(): usize {
  return coefficients;
}

export function coefficientRecordCount(): i32 {
  return RECORDS;
}

/** Address of the statistics of a call's batch elements. */
export function elementStatistics(): usize {
  return statistics;
}

/** Address of the random generator's state. */
export function randomState(): usize {
  return randomWords;
}

export function randomStateWords(): i32 {
  return RANDOM_WORDS;
}

/** Address of the first byte that the module does not use itself. */
export function heapBase(): usize {
  return __heap_base;
}

/** Adds pages of 64 KiB to the memory. Returns -1 when there are none left. */
export function grow(pages: i32): i32 {
  return memory.grow(pages);
}
