// One network of a model's folder: an onnxruntime session that takes and gives float32, whatever its own types are.

import { Float16Array } from "@petamoriken/float16";

/** What the names of model files end with, by the type of their weights. */
const SUFFIXES = { fp32: "", fp16: "_fp16", q8: "_quantized", q4: "_q4", q4f16: "_q4f16" };

export const DTYPES = Object.keys(SUFFIXES);

/** How an array of numbers becomes what a tensor of a type holds. */
const CONVERSIONS = {
  float32: (data) => Float32Array.from(data),
  float16: (data) => new Uint16Array(new Float16Array(data).buffer),
  int32: (data) => Int32Array.from(data),
  int64: (data) => BigInt64Array.from(data, BigInt),
};

/**
 * @typedef {{ data: Float32Array, dims: readonly number[] }} Floats
 * @typedef {(path: string) => Promise<Uint8Array | null>} Read the bytes of a file of the folder; null if it is not there
 * @typedef {object} Engine onnxruntime-node or onnxruntime-web
 * @property {typeof import("onnxruntime-common").InferenceSession} InferenceSession
 * @property {typeof import("onnxruntime-common").Tensor} Tensor
 */

export class Network {
  #session;
  #engine;
  #inputs;

  /**
   * @param {Read} read
   * @param {string} part of the folder, such as "unet"
   * @param {{ engine: Engine, dtype?: string, sessionOptions?: object, takes: string[] }} options `takes`: the inputs that
   *   can be given
   */
  static async load(read, part, { engine, dtype, sessionOptions, takes }) {
    const names = (dtype ? [dtype] : DTYPES).map((name) => `${part}/model${SUFFIXES[name]}.onnx`);
    for (const path of names) {
      const bytes = await read(path);
      if (!bytes) continue;
      const externalData = [];
      for (const name of externalFiles(bytes)) {
        const data = await read(`${part}/${name}`);
        if (!data) throw new Error(`${part}/${name} is missing: it holds weights of ${path}`);
        externalData.push({ path: name, data });
      }
      const session = await create(engine, bytes, path, {
        ...sessionOptions,
        ...(externalData.length && { externalData }),
      });
      const other = session.inputNames.find((name) => !takes.includes(name));
      if (other) throw new Error(`${path} is of another family: it takes "${other}" beside ${takes.join(", ")}`);
      return new Network(session, engine);
    }
    throw new Error(`${names[0]} is missing: the folder has to be an ONNX export, with ${part} in it`);
  }

  constructor(session, engine) {
    this.#session = session;
    this.#engine = engine;
    this.#inputs = Object.fromEntries(session.inputMetadata.map((input) => [input.name, input]));
  }

  /** The dims of an input as the model declares them: numbers, and names of what is open; undefined without that input. */
  dimsOf(name) {
    return this.#inputs[name]?.shape;
  }

  /**
   * @param {Record<string, { data: ArrayLike<number>, dims: readonly number[] }>} values
   * @returns {Promise<Floats>} its first output, which is the one of interest in every network here
   */
  async run(values) {
    const feeds = {};
    for (const [name, { data, dims }] of Object.entries(values)) {
      const { type } = this.#inputs[name];
      const convert = CONVERSIONS[type];
      if (!convert) throw new Error(`the model takes "${name}" as ${type}, which is not supported`);
      feeds[name] = new this.#engine.Tensor(type, convert(data), dims);
    }
    const output = (await this.#session.run(feeds))[this.#session.outputNames[0]];
    return { data: toFloats(output.data), dims: output.dims };
  }

  async release() {
    await this.#session.release();
  }
}

async function create({ InferenceSession }, bytes, path, options) {
  try {
    return await InferenceSession.create(bytes, options);
  } catch (error) {
    throw new Error(`${path} is no model that onnxruntime loads: ${error.message}`, { cause: error });
  }
}

/** Where onnxruntime has no Float16Array, it gives the bits of halves. */
function toFloats(data) {
  if (data instanceof Float32Array) return data;
  return Float32Array.from(
    data instanceof Uint16Array ? new Float16Array(data.buffer, data.byteOffset, data.length) : data,
  );
}

/**
 * The files that a model keeps weights in. onnxruntime wants them with the model but does not tell their names; in the
 * model's bytes each is the string after the key "location".
 *
 * @param {Uint8Array} bytes
 * @returns {Set<string>}
 */
function externalFiles(bytes) {
  const key = new TextEncoder().encode("\n\blocation\x12");
  const names = new Set();
  for (let at = bytes.indexOf(key[0]); at >= 0; at = bytes.indexOf(key[0], at + 1)) {
    if (!key.every((byte, i) => bytes[at + i] === byte)) continue;
    const start = at + key.length + 1;
    const name = new TextDecoder().decode(bytes.subarray(start, start + bytes[start - 1]));
    if (/^[/\\]|(^|[/\\])\.\.([/\\]|$)|:/.test(name)) throw new Error(`weights in ${name} are outside of the folder`);
    names.add(name);
  }
  return names;
}
