// Vercel's edge functions, in Vercel's own simulation of their runtime: the function is bundled with the conditions that
// Next.js sets, and the module comes compiled from outside, as Next.js hands it in.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { EdgeVM } from "@edge-runtime/vm";
import { bundle } from "./bundle.js";

export const { version } = createRequire(import.meta.url)("@edge-runtime/vm/package.json");

/** Turns the import of the module into a global variable, and remembers the file. */
function compiledOutside(files) {
  return {
    name: "compiled-outside",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /\.wasm\?module$/ }, ({ path, resolveDir }) => ({
        path: join(resolveDir, path.replace("?module", "")),
        namespace: "compiled-outside",
      }));
      onLoad({ filter: /./, namespace: "compiled-outside" }, ({ path }) => {
        files.push(path);
        return { contents: "export default compiledModule;" };
      });
    },
  };
}

/**
 * Bundles an edge function.
 * @param {string} folder where the package is installed
 * @param {string} program a file in it
 */
export async function bundleEdgeFunction(folder, program) {
  const files = [];
  const script = await bundle(folder, program, {
    format: "iife",
    globalName: "edgeFunction",
    conditions: ["edge-light", "worker", "browser"],
    plugins: [compiledOutside(files)],
    footer: { js: "addEventListener('fetch', (event) => event.respondWith(edgeFunction.default(event.request)));" },
  });
  if (files.length !== 1) throw new Error(`the bundle imports ${files.length} .wasm files`);
  return { script, compiledModule: new WebAssembly.Module(readFileSync(files[0])) };
}

/** The runtime, which refuses code made from text and modules made from bytes. */
export function startEdgeRuntime(compiledModule) {
  return new EdgeVM({
    codeGeneration: { strings: false, wasm: false },
    extend: (context) => Object.assign(context, { compiledModule }),
  });
}

/** Makes sure that the simulation refuses what the runtime refuses: else the digest would prove nothing. */
async function assertRefusals(edge) {
  const empty = "new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])";
  for (const code of [
    `WebAssembly.compile(${empty})`,
    `WebAssembly.instantiate(${empty})`,
    `new WebAssembly.Module(${empty})`,
    "eval('1')",
  ]) {
    const refused = await edge.evaluate(`(async () => ${code})().then(() => false, () => true)`);
    if (!refused) throw new Error(`the simulation does not refuse ${code}`);
  }
}

/** @param {string} folder where the package is installed */
export function edgeLightEngines(folder) {
  const engine = (name, program) => ({
    name: `Edge Runtime: ${name}`,
    run: async () => {
      const { script, compiledModule } = await bundleEdgeFunction(folder, program);
      const edge = startEdgeRuntime(compiledModule);
      edge.evaluate(script);
      await assertRefusals(edge);
      const response = await edge.dispatchFetch("http://edge/");
      return { version, answer: await response.text() };
    },
  });
  return [
    engine("an edge function that samples", "edge-function.js"),
    engine("an edge function", "edge-function-digest.js"),
  ];
}
