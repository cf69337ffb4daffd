// What the playground needs of Vite: the models' files with their sizes, and the packages that the examples import.

import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const runtime = fileURLToPath(new URL("../node_modules/onnxruntime-web/dist", import.meta.url));

/** The folders whose files the worker reads, by the model that they belong to. */
const FOLDERS = {
  runtime: [runtime, (path) => path === "ort-wasm-simd-threaded.wasm"],
  words: [join(root, "examples/text-to-image/model"), (path) => /\.(json|onnx)$/.test(path)],
  digits: [join(root, "examples/digits/model"), (path) => path === "digits-unet.onnx"],
};

const NAME = "virtual:model-files";

/** A module that exports, for each of those, its files: { path: { url, bytes } }. */
function modelFiles() {
  return {
    name: "model-files",
    resolveId: (id) => (id === NAME ? `\0${NAME}` : undefined),
    load(id) {
      if (id !== `\0${NAME}`) return undefined;
      const imports = [];
      const groups = Object.entries(FOLDERS).map(([group, [folder, isWanted]]) => {
        const files = readdirSync(folder, { recursive: true })
          .filter(isWanted)
          .map((path) => {
            const file = join(folder, path);
            imports.push(`import url${imports.length} from ${JSON.stringify(`${file}?url`)};`);
            return `${JSON.stringify(path)}: { url: url${imports.length - 1}, bytes: ${statSync(file).size} }`;
          });
        return `export const ${group} = { ${files.join(", ")} };`;
      });
      return [...imports, ...groups].join("\n");
    },
  };
}

/** Options of Vite. */
export const playground = {
  plugins: [modelFiles()],
  worker: { format: "es", plugins: () => [modelFiles()] },
  resolve: {
    // The examples have these packages in folders of their own, which need not be installed: here they are the site's.
    dedupe: ["ddim-wasm", "@huggingface/tokenizers", "@petamoriken/float16", "onnxruntime-web"],
    // Without the parts for GPUs, which these models do not use.
    alias: [{ find: /^onnxruntime-web$/, replacement: "onnxruntime-web/wasm" }],
  },
  // Known from the start, or the development server would reload the page as it comes upon them.
  optimizeDeps: {
    include: [
      "@huggingface/tokenizers",
      "@observablehq/plot",
      "@petamoriken/float16",
      "comlink",
      "onnxruntime-web/wasm",
    ],
  },
  server: { fs: { allow: [root] } },
};
