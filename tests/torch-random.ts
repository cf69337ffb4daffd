// PyTorch's CPU generator in plain JavaScript: what the tests hold the library's generator against.
//
// MT19937, uniforms from the low 24 bits of a word, and the Box-Muller transform with the polynomials of
// avx_mathfun.h (J. Pommier, G. Garberoglio; zlib licence) as PyTorch's AVX2 kernel computes them.

import { numberToHalf } from "./binary16.js";

/** The types of values; halves are bits. */
export type DType = "float32" | "float16";

const round = Math.fround;

/** A multiply-add that is rounded once, for the arguments that occur here. */
const fused = (a: number, b: number, c: number): number => round(a * b + c);

const bits = new DataView(new ArrayBuffer(4));

function fromBits(pattern: number): number {
  bits.setUint32(0, pattern);
  return bits.getFloat32(0);
}

function toBits(value: number): number {
  bits.setFloat32(0, value);
  return bits.getUint32(0);
}

const LOG_POLYNOMIAL = [
  0x3d9021bb, 0xbdebd1b8, 0x3def251a, 0xbdfe5d4f, 0x3e11e9bf, 0xbe2aae50, 0x3e4cceac, 0xbe7ffffc, 0x3eaaaaaa,
].map(fromBits);
const LOG_Q1 = fromBits(0xb95e8083);
const LOG_Q2 = fromBits(0x3f318000);
const SQRT_HALF = fromBits(0x3f3504f3);
const FOUR_OVER_PI = fromBits(0x3fa2f983);
const TWO_PI = fromBits(0x40c90fdb);
const [DP1, DP2, DP3] = [0xbf490000, 0xb97da000, 0xb3222169].map(fromBits) as [number, number, number];
const [S0, S1, S2] = [0xb94ca1f9, 0x3c08839e, 0xbe2aaaa3].map(fromBits) as [number, number, number];
const [C0, C1, C2] = [0x37ccf5ce, 0xbab6061a, 0x3d2aaaa5].map(fromBits) as [number, number, number];

/** The natural logarithm of a float32 in [2^-24, 1]. */
function log(x: number): number {
  const pattern = toBits(x);
  let e = (pattern >>> 23) - 126;
  let m = fromBits((pattern & 0x007fffff) | 0x3f000000);
  if (m < SQRT_HALF) {
    e -= 1;
    m = round(round(m - 1) + m);
  } else {
    m = round(m - 1);
  }
  const z = round(m * m);
  let y = LOG_POLYNOMIAL.reduce((sum, coefficient) => fused(sum, m, coefficient));
  y = round(y * m);
  y = fused(y, z, round(e * LOG_Q1));
  y = round(y - round(0.5 * z));
  return round(round(m + y) + round(e * LOG_Q2));
}

/** Cosine and sine of 2 pi u. */
function cosineAndSine(u: number): [number, number] {
  const theta = round(TWO_PI * u);
  const j = (Math.trunc(round(theta * FOUR_OVER_PI)) + 1) & ~1;
  let x = round(theta + round(j * DP1));
  x = round(x + round(j * DP2));
  x = fused(j, DP3, x);
  const z = round(x * x);
  let c = fused(fused(C0, z, C1), z, C2);
  c = fused(round(c * z), z, -round(0.5 * z));
  c = round(c + 1);
  let s = fused(fused(S0, z, S1), z, S2);
  s = fused(round(s * z), x, x);
  if (j & 2) [s, c] = [c, s];
  if (j & 4) s = -s;
  if (((j - 2) & 4) === 0) c = -c;
  return [c, s];
}

const toHalves = (values: Float32Array): Uint16Array => Uint16Array.from(values, numberToHalf);

/** Halfway between the largest half below 1, and 1. */
const ROUNDS_TO_ONE = 1 - 2 ** -12;

/** torch.Generator("cpu") after manual_seed(seed); only a seed's low 32 bits matter. */
export class TorchRandom {
  readonly words = new Uint32Array(624);
  next = 624;
  #cached: number | null = null;

  constructor(seed: number) {
    let s = seed >>> 0;
    this.words.forEach((_, j) => {
      if (j > 0) s = (Math.imul(1812433253, s ^ (s >>> 30)) + j) >>> 0;
      this.words[j] = s;
    });
  }

  #refill(): void {
    const { words } = this;
    for (let i = 0; i < 624; i++) {
      const following = words[(i + 1) % 624]!;
      const y = (words[i]! & 0x80000000) | (following & 0x7fffffff);
      words[i] = words[(i + 397) % 624]! ^ (y >>> 1) ^ (following & 1 ? 0x9908b0df : 0);
    }
    this.next = 0;
  }

  /** The next 32 bits. */
  word(): number {
    if (this.next === 624) this.#refill();
    let y = this.words[this.next++]!;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  #uniform24(): number {
    return (this.word() & 0xffffff) / 2 ** 24;
  }

  #uniform53(): number {
    const high = this.word() & 0x1fffff;
    return (high * 2 ** 32 + this.word()) / 2 ** 53;
  }

  /** torch.rand(n); a half that would be 1 is 0. */
  rand(n: number, type: DType): Float32Array | Uint16Array {
    const values = Float32Array.from({ length: n }, () => this.#uniform24());
    return type === "float16" ? toHalves(values.map((value) => (value < ROUNDS_TO_ONE ? value : 0))) : values;
  }

  /** torch.randint(low, high, (n,)) for ranges below 2^28. */
  randint(low: number, high: number, n: number): number[] {
    return Array.from({ length: n }, () => low + (this.word() % (high - low)));
  }

  /** torch.randn(n). */
  randn(n: number, type?: "float32"): Float32Array;
  randn(n: number, type: DType): Float32Array | Uint16Array;
  randn(n: number, type: DType = "float32"): Float32Array | Uint16Array {
    const values = n < 16 ? this.#fewNormals(n) : this.#normals(n, type);
    return type === "float16" ? toHalves(values) : values;
  }

  #normals(n: number, type: DType): Float32Array {
    const values = new Float32Array(n);
    // float32 draws uniforms for an incomplete last block too, although they are drawn again below.
    const drawn = type === "float16" ? n - (n % 16) : n;
    for (let i = 0; i < drawn; i++) values[i] = this.#uniform24();
    for (let start = 0; start + 16 <= n; start += 16) transform(values, start);
    if (n % 16 !== 0) {
      for (let i = n - 16; i < n; i++) values[i] = this.#uniform24();
      transform(values, n - 16);
    }
    return values;
  }

  /** Pairs in float64, the second half of which may wait for another call. */
  #fewNormals(n: number): Float32Array {
    return Float32Array.from({ length: n }, () => {
      const cached = this.#cached;
      if (cached !== null) {
        this.#cached = null;
        return cached;
      }
      const theta = 2 * Math.PI * this.#uniform53();
      const radius = Math.sqrt(-2 * Math.log1p(-this.#uniform53()));
      this.#cached = radius * Math.sin(theta);
      return radius * Math.cos(theta);
    });
  }
}

/** Box-Muller on a block of 16 uniforms: eight for radii, then eight for angles. */
function transform(values: Float32Array, start: number): void {
  for (let j = start; j < start + 8; j++) {
    const radius = round(Math.sqrt(round(-2 * log(round(1 - values[j]!)))));
    const [cosine, sine] = cosineAndSine(values[j + 8]!);
    values[j] = round(radius * cosine) + 0;
    values[j + 8] = round(radius * sine) + 0;
  }
}
