// An instance of the WebAssembly module, with views of its memory. Everything of a call is read and checked before the
// module is touched, and it keeps nothing from one call to the next.

import type { Exports } from "./exports.js";

/** What each stage is for. A piece's result takes the place of its sample. */
export const STAGE = {
  sample: 0,
  modelOutput: 1,
  conditional: 2,
  noise: 3,
  original: 4,
  /** Halves on their way from or to a tensor. */
  halves: 5,
} as const;

/** Elements that the noise of a piece may be ahead of it: torch draws in blocks of 16, and the last 16 twice. */
const AHEAD = 32;

/** A buffer through which tensors pass. */
export class Stage<A extends Float32Array | Uint16Array> {
  readonly address: number;
  readonly whole: A;
  #first: A;

  constructor(whole: A) {
    this.address = whole.byteOffset;
    this.whole = whole;
    this.#first = whole;
  }

  /** A view of its first `n` values. It is kept: loops ask for the same one again and again. */
  first(n: number): A {
    if (this.#first.length !== n) this.#first = this.whole.subarray(0, n) as A;
    return this.#first;
  }
}

export class Instance {
  readonly exports: Exports;
  /** Where memory begins that the module does not use itself. */
  readonly heapBase: number;
  /** Elements in a piece: a multiple of 16. */
  readonly pieceLength: number;
  /** How many batch elements a call can have records of coefficients for. */
  readonly recordCount: number;
  // Views, made again whenever memory has grown.
  buffer!: ArrayBuffer;
  stages!: Stage<Float32Array>[];
  halves!: Stage<Uint16Array>;
  records!: Float32Array;
  statistics!: Float64Array;
  randomState!: Uint32Array;

  constructor(exports: Exports) {
    this.exports = exports;
    this.pieceLength = (exports.stage(1) - exports.stage(0)) / 4 - AHEAD;
    this.recordCount = exports.coefficientRecordCount();
    this.heapBase = exports.heapBase();
    this.#makeViews();
  }

  #makeViews(): void {
    const { exports, recordCount } = this;
    const { buffer } = exports.memory;
    const length = this.pieceLength + AHEAD;
    this.buffer = buffer;
    this.stages = Array.from(
      { length: exports.stageCount() },
      (_, i) => new Stage(new Float32Array(buffer, exports.stage(i), length)),
    );
    this.halves = new Stage(new Uint16Array(buffer, exports.stage(STAGE.halves), length));
    const bytes = exports.elementStatistics() - exports.coefficientRecords();
    this.records = new Float32Array(buffer, exports.coefficientRecords(), bytes / 4);
    this.statistics = new Float64Array(buffer, exports.elementStatistics(), recordCount);
    this.randomState = new Uint32Array(buffer, exports.randomState(), exports.randomStateWords());
  }

  /** Makes memory at least `bytes` long, as far as the engine has any; whether it did is seen from `buffer`. */
  growTo(bytes: number): void {
    const missing = bytes - this.buffer.byteLength;
    if (missing <= 0) return;
    try {
      this.exports.grow(Math.ceil(missing / PAGE));
    } catch {
      // wasm2js throws where WebAssembly answers -1.
    } finally {
      this.#makeViews();
    }
  }
}

const PAGE = 65536;

/** What `digest` gives where everything is computed rightly. */
const DIGEST = 410947656;

/** An instance with these exports. Refuses an engine that computes wrongly: some had faulty SIMD (iOS 16.4). */
export function makeInstance(exports: Exports, remedy: string): Instance {
  if (typeof exports.elementStatistics !== "function") {
    throw new TypeError(
      '"source" expected ddim-wasm/core.wasm or ddim-wasm/core.scalar.wasm of this version, got a module that is not ddim-wasm',
    );
  }
  const instance = new Instance(exports);
  if (digest(instance) !== DIGEST) throw new Error(`this engine computes the WebAssembly module wrongly: ${remedy}`);
  return instance;
}

/** A number that depends on every bit of a known computation through most of the module's instructions. */
function digest({ exports, records, buffer }: Instance): number {
  const n = 23;
  const [x, m, z, original] = [exports.stage(0), exports.stage(1), exports.stage(2), exports.stage(3)];
  exports.seedRandom(0);
  exports.drawNormals(x, n, false);
  exports.drawNormals(m, n, false);
  exports.drawUniforms(z, n, false);
  exports.blend(m, m, z, z, 0, n);
  records.set([1, -0.7, 1.5, 1, 0.75, -0.5, 1.25, 1, 0.1, 0.4, 0.3]);
  exports.update(x, original, x, m, z, z, n, 1, 2);
  exports.encode(z, x, n);
  exports.decode(x, z, n);
  let hash = 0;
  for (const address of [x, original]) {
    for (const word of new Uint32Array(buffer, address, n)) hash = Math.imul(hash ^ word, 0x01000193);
  }
  return hash >>> 0;
}
