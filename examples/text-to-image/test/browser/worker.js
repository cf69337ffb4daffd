// Draws in a Web Worker, with the same file as in Node. Answers each message of options with what came out.

import * as engine from "onnxruntime-web/wasm";
import { StableDiffusion } from "../../src/stable-diffusion.js";

engine.env.wasm.wasmPaths = "/onnxruntime/";

const read = async (path) => {
  const response = await fetch(`/model/${path}`);
  return response.ok ? new Uint8Array(await response.arrayBuffer()) : null;
};
const loading = StableDiffusion.load(read, { engine });

addEventListener("message", async ({ data: options }) => {
  try {
    const model = await loading;
    const previews = [];
    const onStep = async ({ preview }) => previews.push(...(await preview()));
    const { pictures, latents } = await model.draw({ ...options, onStep });
    postMessage({
      isolated: crossOriginIsolated,
      latents: Array.from(latents.data),
      pictures: pictures.map(({ data, ...size }) => ({ data: Array.from(data), ...size })),
      previews: previews.map(({ data, width, height }) => new ImageData(data, width, height).width),
    });
  } catch (error) {
    postMessage({ error: error.message });
  }
});
