// A server in Deno, and on Deno Deploy. onnxruntime and the models are inside the bundle: it needs the net alone.

import files from "embedded-models";
import module from "onnxruntime-web/ort-wasm-simd-threaded.wasm";
import { createHandler } from "./handler.js";
import { openModels } from "./models.js";
import { startOnnxruntime } from "./onnxruntime.js";

const models = openModels(
  async (path) => files[path] ?? null,
  () => startOnnxruntime(module),
);
const handler = createHandler(models);

Deno.serve({ port: Number(Deno.args[0] ?? 8000) }, handler);
