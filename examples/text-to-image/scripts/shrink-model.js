// Makes a folder of float32 models a quarter smaller: each weight becomes a float16 number and 8 bits for what is left.
// onnxruntime adds them up when it loads the model, so that it runs as fast as before.
//
//   node scripts/shrink-model.js FROM TO

import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Float16Array } from "@petamoriken/float16";
import onnxProto from "onnx-proto";

const { AttributeProto, ModelProto, TensorProto } = onnxProto.onnx;
const { FLOAT, FLOAT16, INT8 } = TensorProto.DataType;
const PARTS = ["text_encoder", "unet", "vae_decoder", "vae_encoder"];

/** Weights of fewer bytes than this stay: three nodes more would take as much. */
const SMALLEST = 2048;

const [from, to] = process.argv.slice(2);
cpSync(from, to, { recursive: true });
for (const part of PARTS) {
  const model = ModelProto.decode(readFileSync(join(from, part, "model.onnx")));
  writeFileSync(join(to, part, "model.onnx"), ModelProto.encode(shrink(model)).finish());
}

function shrink(model) {
  const { graph } = model;
  const sums = [];
  graph.initializer = graph.initializer.flatMap((tensor) => {
    if (tensor.dataType !== FLOAT || tensor.rawData.length < SMALLEST) return [tensor];
    const { name, dims } = tensor;
    const weights = new Float32Array(Uint8Array.from(tensor.rawData).buffer);
    const halves = new Float16Array(weights);
    const rest = weights.map((weight, i) => weight - halves[i]);
    const scale = rest.reduce((most, r) => Math.max(most, Math.abs(r)), Number.MIN_VALUE) / 127;
    const eighths = Int8Array.from(rest, (r) => Math.round(r / scale));

    const toFloat = [{ name: "to", type: AttributeProto.AttributeType.INT, i: FLOAT }];
    sums.push(
      { opType: "Cast", input: [`${name}:half`], output: [`${name}:high`], attribute: toFloat },
      { opType: "Cast", input: [`${name}:rest`], output: [`${name}:whole`], attribute: toFloat },
      { opType: "Mul", input: [`${name}:whole`, `${name}:scale`], output: [`${name}:low`] },
      { opType: "Add", input: [`${name}:high`, `${name}:low`], output: [name] },
    );
    return [
      { name: `${name}:half`, dims, dataType: FLOAT16, rawData: new Uint8Array(halves.buffer) },
      { name: `${name}:rest`, dims, dataType: INT8, rawData: new Uint8Array(eighths.buffer) },
      { name: `${name}:scale`, dims: [], dataType: FLOAT, rawData: new Uint8Array(Float32Array.of(scale).buffer) },
    ];
  });
  // Names of nodes and the shapes between them are for people.
  const nodes = graph.node.map(({ opType, domain, input, output, attribute }) => {
    return { opType, domain, input, output, attribute };
  });
  graph.node = [...sums, ...nodes];
  graph.valueInfo = [];
  return model;
}
