// Options objects. A table holds the name, default and check of each option; the values read and the message for an
// unknown name come from it.

import { type Check, checkName, isPlainObject } from "./checks.js";
import { shorten, wrongType } from "./errors.js";

/** An option's default, and its check or the names that it takes. One that has neither is checked where it is used. */
type Entry = readonly [fallback: unknown, check?: Check<unknown> | readonly string[]];

/** An entry for each option of `O`. */
export type Entries<O> = { readonly [K in keyof O]-?: Entry };

/** The values of options, defaults in their places. */
export type Values<E> = {
  readonly [K in keyof E]: E[K] extends readonly [infer F, infer C]
    ? Extract<F, null | undefined> | (C extends Check<infer V> ? V : C extends readonly (infer N)[] ? N : never)
    : unknown;
};

/** The values that a table reads. */
export type ValuesOf<T> = T extends OptionTable<infer E> ? Values<E> : never;

export class OptionTable<const E = object> {
  readonly entries: E;
  /** By name: reading a property of a changing name takes three times as long. */
  readonly #byName: ReadonlyMap<string, Entry>;
  readonly #defaults: Record<string, unknown> = {};
  readonly #absent: readonly string[];

  /** @param absent names that this table does not have and others do: they read as undefined, whatever objects inherit */
  constructor(entries: E, absent: readonly string[] = []) {
    this.entries = entries;
    this.#absent = absent;
    this.#byName = new Map(Object.entries(entries as Record<string, Entry>));
    for (const name of absent) this.#defaults[name] = undefined;
    for (const [name, [fallback]] of this.#byName) this.#defaults[name] = fallback;
  }

  /** A table with more options, or other defaults. */
  extend<M extends Record<string, Entry>>(entries: M): OptionTable<Omit<E, keyof M> & M> {
    return new OptionTable({ ...this.entries, ...entries }, this.#absent);
  }

  get names(): string[] {
    return [...this.#byName.keys()];
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  /**
   * The values of an options object, each read once. Only its own properties count.
   *
   * @throws TypeError for anything but a plain object, or for a name that the table does not have
   */
  read(argument: string, options: unknown): Values<E> {
    const values = { ...this.#defaults };
    if (options !== undefined) this.#readInto(values, argument, options);
    return values as Values<E>;
  }

  /** The values of those options alone that are given. @throws as `read` */
  readGiven(argument: string, options: unknown): Record<string, unknown> {
    const values = {};
    if (options !== undefined) this.#readInto(values, argument, options);
    return values;
  }

  #readInto(values: Record<string, unknown>, argument: string, options: unknown): void {
    if (!isPlainObject(options)) throw wrongType(argument, "a plain object", options);
    for (const name in options) {
      if (!hasOwnProperty.call(options, name)) continue;
      const entry = this.#byName.get(name);
      if (!entry) {
        throw new TypeError(`"${argument}" has no option "${shorten(name)}"; it takes ${this.names.join(", ")}`);
      }
      const value = options[name];
      if (value === undefined) continue;
      const check = entry[1];
      values[name] = typeof check === "function" ? check(name, value) : check ? checkName(name, value, check) : value;
    }
  }
}

const { hasOwnProperty } = Object.prototype;
