// Small models with random weights, written as ONNX: the parts of a Stable Diffusion folder, as large outside as a real
// one and next to nothing inside.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Float16Array } from "@petamoriken/float16";
import { Generator } from "ddim-wasm";
import onnxProto from "onnx-proto";

const { AttributeProto, ModelProto, TensorProto } = onnxProto.onnx;
const { DataType } = TensorProto;

/** Collects the nodes and weights of a network. */
class Graph {
  nodes = [];
  initializers = [];
  #generator = new Generator(1);
  #half;

  constructor(half) {
    this.#half = half;
  }

  get float() {
    return this.#half ? DataType.FLOAT16 : DataType.FLOAT;
  }

  /** A node; returns the name of its output. */
  node(opType, input, attributes = {}, output = `v${this.nodes.length}`) {
    const attribute = Object.entries(attributes).map(([name, value]) =>
      Array.isArray(value)
        ? { name, type: AttributeProto.AttributeType.INTS, ints: value }
        : { name, type: AttributeProto.AttributeType.INT, i: value },
    );
    this.nodes.push({ opType, input, output: [output], attribute });
    return output;
  }

  /** Random weights, of about `scale`. */
  weights(dims, scale) {
    const values = this.#generator.randn(dims).data.map((value) => value * scale);
    const data = this.#half ? new Float16Array(values) : values;
    return this.#add(dims, this.float, new Uint8Array(data.buffer));
  }

  integers(values) {
    return this.#add([values.length], DataType.INT64, new Uint8Array(BigInt64Array.from(values, BigInt).buffer));
  }

  #add(dims, dataType, rawData) {
    const name = `w${this.initializers.length}`;
    this.initializers.push({ name, dims, dataType, rawData });
    return name;
  }
}

/**
 * Writes a folder.
 *
 * @param {string} folder
 * @param {object} options
 * @param {boolean} [options.half] float16 models
 * @param {boolean} [options.external] the U-Net's weights in a file of their own
 * @param {string} [options.timestep] its type: int64, int32, float32, float16
 * @param {readonly (number | string)[]} [options.timestepDims]
 * @param {boolean} [options.conditioned] takes timestep_cond, as LCM's
 * @param {object} [options.scheduler] more of scheduler_config.json
 * @param {number} [options.width] of the text encoder's output
 * @param {string} [options.suffix] of the models' names
 */
export function writeFolder(folder, options = {}) {
  const { half = false, external = false, timestep = "int64", timestepDims = ["batch"], width = 768 } = options;
  const { conditioned = false, scheduler = {}, suffix = "" } = options;
  const json = (path, object) => write(folder, path, JSON.stringify(object));
  json("model_index.json", { _class_name: conditioned ? "LatentConsistencyModelPipeline" : "StableDiffusionPipeline" });
  json("scheduler/scheduler_config.json", {
    _class_name: "PNDMScheduler",
    beta_start: 0.00085,
    beta_end: 0.012,
    beta_schedule: "scaled_linear",
    clip_sample: false,
    set_alpha_to_one: false,
    steps_offset: 1,
    ...scheduler,
  });
  json("unet/config.json", {
    in_channels: 4,
    sample_size: 64,
    cross_attention_dim: width,
    ...(conditioned && { time_cond_proj_dim: 256 }),
  });
  json("vae_decoder/config.json", { scaling_factor: 0.18215, latent_channels: 4 });
  writeTokenizer(folder);

  const L = (channels) => ["batch", channels, "height", "width"];
  const type = half ? "float16" : "float32";
  const model = (part, build, inputs, outputs, options) => {
    const graph = new Graph(half);
    build(graph);
    writeModel(folder, `${part}/model${suffix}.onnx`, graph, inputs, outputs, options);
  };
  model(
    "text_encoder",
    (g) => g.node("Gather", [g.weights([512, width], 1), "input_ids"], { axis: 0 }, "last_hidden_state"),
    { input_ids: ["int64", ["batch", 77]] },
    { last_hidden_state: [type, ["batch", 77, width]] },
  );
  model(
    "unet",
    (g) => buildUnet(g, { width, conditioned }),
    {
      sample: [type, L(4)],
      timestep: [timestep, timestepDims],
      encoder_hidden_states: [type, ["batch", 77, width]],
      ...(conditioned && { timestep_cond: [type, ["batch", 256]] }),
    },
    { out_sample: [type, L(4)] },
    { external: external ? "model.onnx_data" : undefined },
  );
  model(
    "vae_decoder",
    (g) => g.node("ConvTranspose", ["latent_sample", g.weights([4, 3, 8, 8], 0.05)], { strides: [8, 8] }, "sample"),
    { latent_sample: [type, L(4)] },
    { sample: [type, L(3)] },
  );
  model(
    "vae_encoder",
    (g) => g.node("Conv", ["sample", g.weights([8, 3, 8, 8], 0.1)], { strides: [8, 8] }, "latent_parameters"),
    { sample: [type, L(3)] },
    { latent_parameters: [type, L(8)] },
  );
}

/** A convolution of the sample, moved by the text, the timestep and the condition: each changes what comes out. */
function buildUnet(g, { width, conditioned }) {
  const axes = g.integers([2, 3]);
  const move = (vector) => g.node("Unsqueeze", [vector, axes]);
  const noise = g.node("Conv", ["sample", g.weights([4, 4, 3, 3], 0.15)], { pads: [1, 1, 1, 1] });
  const text = g.node("ReduceMean", ["encoder_hidden_states"], { axes: [1], keepdims: 0 });
  let sum = g.node("Add", [noise, move(g.node("MatMul", [text, g.weights([width, 4], 0.1)]))]);
  const time = g.node("Cast", ["timestep"], { to: g.float });
  const column = g.node("Reshape", [time, g.integers([-1, 1])]);
  sum = g.node("Add", [sum, move(g.node("MatMul", [column, g.weights([1, 4], 0.0005)]))]);
  if (conditioned) sum = g.node("Add", [sum, move(g.node("MatMul", ["timestep_cond", g.weights([256, 4], 0.02)]))]);
  g.node("Identity", [sum], {}, "out_sample");
}

function writeModel(folder, path, graph, inputs, outputs, { external } = {}) {
  if (external) {
    // Shapes stay inside, as exporters leave them: onnxruntime needs them before it reads other files.
    const outside = graph.initializers.filter(({ dataType }) => dataType !== DataType.INT64);
    let offset = 0;
    const parts = outside.map((tensor) => {
      const { rawData } = tensor;
      const entries = Object.entries({ location: external, offset, length: rawData.length });
      tensor.externalData = entries.map(([key, value]) => ({ key, value: String(value) }));
      tensor.dataLocation = TensorProto.DataLocation.EXTERNAL;
      delete tensor.rawData;
      offset += rawData.length;
      return rawData;
    });
    write(folder, join(path, "..", external), Buffer.concat(parts));
  }
  const values = (declared) =>
    Object.entries(declared).map(([name, [type, dims]]) => {
      const dim = dims.map((size) => (typeof size === "string" ? { dimParam: size } : { dimValue: size }));
      const elemType = type === "float32" ? DataType.FLOAT : DataType[type.toUpperCase()];
      return { name, type: { tensorType: { elemType, shape: { dim } } } };
    });
  const model = {
    irVersion: 8,
    opsetImport: [{ domain: "", version: 17 }],
    graph: {
      name: "g",
      node: graph.nodes,
      initializer: graph.initializers,
      input: values(inputs),
      output: values(outputs),
    },
  };
  write(folder, path, ModelProto.encode(ModelProto.create(model)).finish());
}

/** CLIP's older files, with bytes and no merges. */
function writeTokenizer(folder) {
  const printable = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i));
  const words = [
    ...printable,
    ...printable.map((c) => `${c}</w>`),
    "re",
    "red</w>",
    "<|startoftext|>",
    "<|endoftext|>",
  ];
  write(folder, "tokenizer/vocab.json", JSON.stringify(Object.fromEntries(words.map((word, i) => [word, i]))));
  write(folder, "tokenizer/merges.txt", "#version: 0.2\nr e\nre d</w>\n");
  write(folder, "tokenizer/tokenizer_config.json", JSON.stringify({ model_max_length: 77, pad_token: "!" }));
}

function write(folder, path, content) {
  const file = join(folder, path);
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(file, content);
}
