// The module's memory beyond what it uses itself: blocks for resident tensors.

import { useCore } from "./core.js";

const PAGE = 65536;

/** Blocks that have been given back, as [start, end); no two of them touch. */
let free: [start: number, end: number][] = [];

/** Where memory begins that was never handed out; 0 before the first block. */
let top = 0;

/** The size of the block for so many bytes: blocks keep the alignment of vectors, and none is empty. */
function blockSize(bytes: number): number {
  return (Math.floor(bytes / 16) + 1) * 16;
}

/**
 * The address of a block of zeros.
 *
 * @throws RangeError when memory is exhausted
 */
export function take(bytes: number): number {
  const core = useCore();
  top ||= Math.ceil(core.heapBase() / 16) * 16;
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
  new Uint8Array(core.memory.buffer, address, size).fill(0);
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
  const { memory, grow } = useCore();
  const missing = end - memory.buffer.byteLength;
  let cause: unknown;
  try {
    if (missing > 0) grow(Math.ceil(missing / PAGE));
  } catch (error) {
    cause = error; // an engine without WebAssembly
  }
  if (end > memory.buffer.byteLength) {
    throw new RangeError(`no memory left for a resident tensor of ${bytes} bytes: free others first`, { cause });
  }
}
