// The module's memory beyond what it uses itself: blocks for resident tensors.

import { growMemory, useCore, useMemory } from "./core.js";

const PAGE = 65536;

/** Blocks that have been given back, as [start, end); no two of them touch. */
let free: [start: number, end: number][] = [];

/** Where memory begins that was never handed out; 0 before the first block. */
let top = 0;

const ALIGNMENT = 64; // that of cache lines: as a step passes over its tensors, stores keep off the next loads

/** The size of the block for so many bytes: blocks are aligned, and none is empty. */
function blockSize(bytes: number): number {
  return Math.max(Math.ceil(bytes / ALIGNMENT), 1) * ALIGNMENT;
}

/**
 * The address of a block of zeros.
 *
 * @throws RangeError when memory is exhausted
 */
export function take(bytes: number): number {
  top ||= blockSize(useCore().heapBase());
  const size = blockSize(bytes);
  const block = free.find(([start, end]) => end - start >= size);
  const address = block ? block[0] : top;
  if (block) {
    block[0] += size;
    free = free.filter(([start, end]) => start < end);
  } else {
    growTo(address + size, bytes);
    top += size;
  }
  new Uint8Array(useMemory(), address, size).fill(0);
  return address;
}

/** Gives back what `take` gave for so many bytes. */
export function give(address: number, bytes: number): void {
  let start = address;
  let end = address + blockSize(bytes);
  free = free.filter((block) => {
    const touches = block[1] === start || block[0] === end;
    if (touches) [start, end] = [Math.min(start, block[0]), Math.max(end, block[1])];
    return !touches;
  });
  if (end === top) top = start;
  else free.push([start, end]);
}

function growTo(end: number, bytes: number): void {
  const missing = end - useMemory().byteLength;
  let cause: unknown;
  try {
    if (missing > 0) growMemory(Math.ceil(missing / PAGE));
  } catch (error) {
    cause = error; // an engine without WebAssembly
  }
  if (end > useMemory().byteLength) {
    throw new RangeError(`no memory left for a resident tensor of ${bytes} bytes: free others first`, { cause });
  }
}
