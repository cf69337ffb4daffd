// The models' files, in Node.

import { readFileSync } from "node:fs";
import { InferenceSession } from "onnxruntime-web";

/**
 * @param {string} name of a file in model/, without .onnx
 * @returns {Promise<InferenceSession>}
 */
export function loadModel(name) {
  return InferenceSession.create(readFileSync(new URL(`../model/${name}.onnx`, import.meta.url)));
}
