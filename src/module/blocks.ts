// The memory beyond what the module uses itself, in blocks for resident tensors.

/** What blocks are made of. */
interface Memory {
  readonly buffer: ArrayBuffer;
  growTo(bytes: number): void;
}

const ALIGNMENT = 64; // that of cache lines: as a step passes over its tensors, stores keep off the next loads

/** The size of the block for so many bytes: blocks are aligned, and none is empty. */
function blockSize(bytes: number): number {
  return Math.max(Math.ceil(bytes / ALIGNMENT), 1) * ALIGNMENT;
}

export class Blocks {
  readonly #memory: Memory;
  /** Where memory begins that is not in use, nor among the holes. */
  #top: number;
  /** Blocks that have been given back, by where they start and by where they end. No two of them touch. */
  readonly #endOf = new Map<number, number>();
  readonly #startOf = new Map<number, number>();

  constructor(base: number, memory: Memory) {
    this.#memory = memory;
    this.#top = blockSize(base);
  }

  /**
   * The address of a block of zeros.
   *
   * @throws RangeError when memory is exhausted
   */
  allocate(bytes: number): number {
    const size = blockSize(bytes);
    const address = this.#takeHole(size) ?? this.#takeTop(size, bytes);
    new Uint8Array(this.#memory.buffer, address, size).fill(0);
    return address;
  }

  /** Gives back what `allocate` gave for so many bytes. */
  free(address: number, bytes: number): void {
    let start = address;
    let end = address + blockSize(bytes);
    const before = this.#startOf.get(start);
    if (before !== undefined) {
      this.#removeHole(before, start);
      start = before;
    }
    const after = this.#endOf.get(end);
    if (after !== undefined) {
      this.#removeHole(end, after);
      end = after;
    }
    if (end === this.#top) this.#top = start;
    else this.#addHole(start, end);
  }

  #takeHole(size: number): number | undefined {
    for (const [start, end] of this.#endOf) {
      if (end - start < size) continue;
      this.#removeHole(start, end);
      if (start + size < end) this.#addHole(start + size, end);
      return start;
    }
    return undefined;
  }

  #takeTop(size: number, bytes: number): number {
    const address = this.#top;
    this.#memory.growTo(address + size);
    if (address + size > this.#memory.buffer.byteLength) {
      throw new RangeError(`no memory left for a resident tensor of ${bytes} bytes: free others first`);
    }
    this.#top += size;
    return address;
  }

  #addHole(start: number, end: number): void {
    this.#endOf.set(start, end);
    this.#startOf.set(end, start);
  }

  #removeHole(start: number, end: number): void {
    this.#endOf.delete(start);
    this.#startOf.delete(end);
  }
}
