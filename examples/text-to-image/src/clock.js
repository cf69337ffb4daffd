/** Adds up the seconds that each part takes. */
export class Clock {
  /** @type {Record<string, number>} */
  seconds;

  /** @param {string[]} parts */
  constructor(...parts) {
    this.seconds = Object.fromEntries(parts.map((part) => [part, 0]));
  }

  /**
   * @template T
   * @param {string} part
   * @param {Promise<T>} work
   * @returns {Promise<T>}
   */
  async time(part, work) {
    const start = performance.now();
    try {
      return await work;
    } finally {
      this.seconds[part] += (performance.now() - start) / 1000;
    }
  }
}
