// The parameters of a picture: what each one takes, and its default. Equal parameters have one canonical query, whatever
// their order and whichever are left out.

import { SAMPLER_DEFAULTS as DIGITS_SAMPLERS } from "../../digits/src/schedulers.js";
import { SAMPLERS } from "../../text-to-image/src/schedulers.js";
import { VERSION } from "./version.js";

export interface ShapesParameters {
  model: "shapes";
  prompt: string;
  negative: string;
  seed: bigint;
  steps: number;
  guidance: number;
  sampler: (typeof SAMPLERS)[number];
  width: number;
  height: number;
}

export interface DigitsParameters {
  model: "digits";
  digit: number;
  seed: bigint;
  steps: number;
  guidance: number;
  sampler: keyof typeof DIGITS_SAMPLERS;
}

export type Parameters = ShapesParameters | DigitsParameters;

/** What one parameter takes. A value that `read` gives undefined for is refused. */
interface Parameter {
  takes: string;
  read: (text: string) => string | number | bigint | undefined;
  /** Without it the parameter has to be given. */
  initial?: string | ((before: Record<string, unknown>) => string);
}

const seed: Parameter = { ...whole(-(2n ** 63n), 2n ** 64n - 1n, "-2^63 to 2^64 - 1"), initial: "0" };
const steps = whole(1n, 50n, "1 to 50");
const guidance: Parameter = {
  takes: "a number from 0 to 20",
  read: (text) => (/^\d+(\.\d+)?$/.test(text) && Number(text) <= 20 ? Number(text) : undefined),
};
const size: Parameter = {
  takes: "a multiple of 8 from 32 to 80",
  read: (text) => (/^\d+$/.test(text) && isSize(Number(text)) ? Number(text) : undefined),
  initial: "64",
};

const MODELS: Record<Parameters["model"], Record<string, Parameter>> = {
  shapes: {
    prompt: words(1),
    negative: { ...words(0), initial: "" },
    seed,
    steps: { ...integer(steps), initial: "20" },
    guidance: { ...guidance, initial: "5" },
    sampler: { ...oneOf(SAMPLERS), initial: "ddim" },
    width: size,
    height: size,
  },
  digits: {
    digit: integer(whole(0n, 9n, "0 to 9")),
    seed,
    sampler: { ...oneOf(Object.keys(DIGITS_SAMPLERS)), initial: "ddim" },
    steps: {
      ...integer(steps),
      initial: ({ sampler }) => String(DIGITS_SAMPLERS[sampler as DigitsParameters["sampler"]].steps),
    },
    guidance: { ...guidance, initial: "2" },
  },
};

/** A request that is refused: which parameter, what it got, and what it takes. */
export class ParameterError extends RangeError {
  /** @param got null if it is missing */
  constructor(parameter: string, got: string | null, takes: string) {
    const shown = got === null ? "nothing" : JSON.stringify(cut(got));
    super(`"${parameter}" got ${shown}, and takes ${takes}`);
  }

  /** The same of one among several. */
  within(place: string): this {
    this.message = `${place}: ${this.message}`;
    return this;
  }
}

/** @throws ParameterError */
export function readParameters(query: URLSearchParams): Parameters {
  const model = query.get("model") ?? "shapes";
  if (!isModel(model)) throw new ParameterError("model", model, `one of ${Object.keys(MODELS).join(", ")}`);
  const table = MODELS[model];
  for (const name of query.keys()) {
    if (name !== "model" && !Object.hasOwn(table, name)) {
      const known = ["model", ...Object.keys(table)].join(", ");
      throw new ParameterError("model", model, `no "${cut(name)}": its parameters are ${known}`);
    }
    const all = query.getAll(name);
    if (all.length > 1) throw new ParameterError(name, all.join(" & "), "one value");
  }
  const values: Record<string, unknown> = { model };
  for (const [name, { takes, read, initial }] of Object.entries(table)) {
    const text = query.get(name) ?? (typeof initial === "function" ? initial(values) : initial);
    const value = text === undefined ? undefined : read(text);
    if (value === undefined) throw new ParameterError(name, text ?? null, takes);
    values[name] = value;
  }
  return values as unknown as Parameters;
}

/** All parameters, defaults too, in the table's order. */
export function canonicalQuery(parameters: Parameters): string {
  return new URLSearchParams(Object.entries(parameters).map(([name, value]) => [name, String(value)])).toString();
}

/** The digest of the parameters and the version: 64 hexadecimal digits, the name of a picture. */
export async function digestOf(parameters: Parameters): Promise<string> {
  const text = new TextEncoder().encode(`${VERSION} ${canonicalQuery(parameters)}`);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", text));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Messages go to whoever sent the value, and into logs. */
function cut(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function isModel(name: string): name is Parameters["model"] {
  return Object.hasOwn(MODELS, name);
}

function isSize(size: number): boolean {
  return size >= 32 && size <= 80 && size % 8 === 0;
}

function whole(least: bigint, most: bigint, range: string): Parameter {
  return {
    takes: `a whole number from ${range}`,
    read(text) {
      if (!/^-?\d{1,20}$/.test(text)) return undefined;
      const value = BigInt(text);
      return value >= least && value <= most ? value : undefined;
    },
  };
}

/** The same as a number. */
function integer({ takes, read }: Parameter): Parameter {
  return {
    takes,
    read(text) {
      const value = read(text);
      return value === undefined ? undefined : Number(value);
    },
  };
}

function words(least: number): Parameter {
  return {
    takes: `${least} to 200 characters`,
    read(text) {
      const trimmed = text.trim();
      return trimmed.length >= least && trimmed.length <= 200 ? trimmed : undefined;
    },
  };
}

function oneOf(names: readonly string[]): Parameter {
  return { takes: `one of ${names.join(", ")}`, read: (text) => (names.includes(text) ? text : undefined) };
}
