// The generator behind torch's CPU numbers, in plain JavaScript: MT19937 (M. Matsumoto and T. Nishimura, 1998).

const N = 624;
const M = 397;

export class MersenneTwister {
  #state = new Uint32Array(N);
  #next = N;

  constructor(seed) {
    const state = this.#state;
    state[0] = seed;
    for (let i = 1; i < N; i++) state[i] = Math.imul(1812433253, state[i - 1] ^ (state[i - 1] >>> 30)) + i;
  }

  #refill() {
    const state = this.#state;
    for (let i = 0; i < N; i++) {
      const following = state[(i + 1) % N];
      const y = (state[i] & 0x80000000) | (following & 0x7fffffff);
      state[i] = state[(i + M) % N] ^ (y >>> 1) ^ (following & 1 ? 0x9908b0df : 0);
    }
    this.#next = 0;
  }

  /** 32 random bits. */
  nextWord() {
    if (this.#next === N) this.#refill();
    let y = this.#state[this.#next++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  /** In [0, 1), of 53 random bits. */
  #nextUniform() {
    const high = this.nextWord() & 0x1fffff;
    return (high * 2 ** 32 + this.nextWord()) * 2 ** -53;
  }

  /** Fills an array of an even number of values, fewer than 16, with normal ones as torch does. */
  fillNormal(values) {
    for (let i = 0; i < values.length; i += 2) {
      const angle = 2 * Math.PI * this.#nextUniform();
      const radius = Math.sqrt(-2 * Math.log(1 - this.#nextUniform()));
      values[i] = radius * Math.cos(angle);
      values[i + 1] = radius * Math.sin(angle);
    }
  }
}
