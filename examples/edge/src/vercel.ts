// An edge function of Vercel. The models' files are static files of the same deployment.

import module from "onnxruntime-web/ort-wasm-simd-threaded.wasm";
import { createHandler, type Handler } from "./handler.js";
import { openModels } from "./models.js";
import { startOnnxruntime } from "./onnxruntime.js";
import { readOver } from "./read.js";

export const config = { runtime: "edge" };

let handler: Handler | undefined;

export default (request: Request): Promise<Response> => {
  handler ??= createHandler(openModels(readOver(new URL(request.url).origin), () => startOnnxruntime(module)));
  return handler(request);
};
