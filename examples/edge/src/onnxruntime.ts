// onnxruntime-web on a module that the host has compiled: edge runtimes do not compile WebAssembly while they run.

import * as onnxruntime from "onnxruntime-web/wasm";

export type Engine = Pick<typeof onnxruntime, "InferenceSession" | "Tensor">;

const { env, InferenceSession, Tensor } = onnxruntime;
env.logLevel = "error";
env.wasm.numThreads = 1;
// onnxruntime takes the module as bytes only, and passes them to WebAssembly.instantiate. These are never compiled.
env.wasm.wasmBinary = new Uint8Array(8);

let starting: Promise<unknown> | undefined;

/** Waits for microtasks alone, so that it is over before another request has its turn. */
export async function startOnnxruntime(module: WebAssembly.Module): Promise<Engine> {
  starting ??= start(module);
  await starting;
  return { InferenceSession, Tensor };
}

async function start(module: WebAssembly.Module) {
  const { instantiate } = WebAssembly;
  const answer = async (_: unknown, imports: WebAssembly.Imports) => ({
    module,
    instance: new WebAssembly.Instance(module, imports),
  });
  Object.assign(WebAssembly, { instantiate: answer });
  // An empty model is refused, but by then onnxruntime has started. If it has not, the first model tells why.
  await InferenceSession.create(new Uint8Array()).catch(() => {});
  Object.assign(WebAssembly, { instantiate });
}
