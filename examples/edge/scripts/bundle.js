// Bundles the handler for a runtime into build/: `node scripts/bundle.js cloudflare`, `deno` or `vercel`.

import { cpSync, mkdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { MODEL_FILES } from "../src/model-files.js";

const folder = fileURLToPath(new URL("..", import.meta.url));

/** The models' files in the repository, by the paths that the handler reads them by. */
export const FILES = Object.fromEntries(
  Object.entries(MODEL_FILES).flatMap(([model, { folder: source, files }]) =>
    files.map((path) => [`${model}/${path}`, join(folder, source, path)]),
  ),
);

/** How each runtime gets at compiled modules and at the models. */
const RUNTIMES = {
  cloudflare: { conditions: ["workerd", "worker", "browser"], plugins: [wasmBeside("")], assets: "assets/models" },
  vercel: {
    conditions: ["edge-light", "worker", "browser"],
    plugins: [wasmBeside("?module")],
    assets: "static/models",
  },
  deno: { conditions: ["deno", "worker", "browser"], plugins: [wasmInside(), modelsInside()] },
};

/**
 * @param {keyof typeof RUNTIMES} runtime
 * @param {{ entry?: string, outdir?: string }} [options] `entry`: default: the runtime's own in src/
 * @returns {Promise<string>} the bundle's file
 */
export async function bundle(runtime, { entry = `src/${runtime}.ts`, outdir = join(folder, "build", runtime) } = {}) {
  const { assets, conditions, plugins } = RUNTIMES[runtime];
  rmSync(outdir, { recursive: true, force: true });
  await build({
    absWorkingDir: folder,
    entryPoints: { index: entry },
    outdir,
    bundle: true,
    format: "esm",
    target: "es2022",
    external: ["cloudflare:workers"],
    conditions,
    plugins: [...plugins, ownPackages()],
    // onnxruntime-web asks it whether it runs in Node, as Deno says it does.
    define: { "globalThis.process": "undefined" },
    minifySyntax: true,
    logLevel: "error",
  });
  if (assets) {
    for (const [path, file] of Object.entries(FILES)) cpSync(file, join(outdir, assets, path));
  }
  return join(outdir, "index.js");
}

/** Resolves packages from this folder, for the other examples' files too, and has them share one onnxruntime. */
function ownPackages() {
  return {
    name: "own-packages",
    setup({ onResolve, resolve }) {
      onResolve({ filter: /^[^./]/ }, ({ path, kind, pluginData, resolveDir }) => {
        if (pluginData === "resolved" || kind === "entry-point" || resolveDir.includes("node_modules"))
          return undefined;
        const name = path === "onnxruntime-web" ? "onnxruntime-web/wasm" : path;
        return resolve(name, { kind, resolveDir: folder, pluginData: "resolved" });
      });
    },
  };
}

/** Leaves compiling to the host: the module is a file beside the bundle. */
function wasmBeside(suffix) {
  return {
    name: "wasm-beside",
    setup({ initialOptions, onResolve, resolve }) {
      const { outdir } = initialOptions;
      onResolve({ filter: /\.wasm(\?module)?$/ }, async ({ path, kind, pluginData, resolveDir }) => {
        if (pluginData === "resolved") return undefined;
        const from = path.startsWith(".") ? resolveDir : folder;
        const found = await resolve(path.replace("?module", ""), { kind, resolveDir: from, pluginData: "resolved" });
        if (found.errors.length > 0) return found;
        mkdirSync(outdir, { recursive: true });
        cpSync(found.path, join(outdir, basename(found.path)));
        return { path: `./${basename(found.path)}${suffix}`, external: true };
      });
    },
  };
}

/** For a host that compiles at run time: the module's bytes are in the bundle. */
function wasmInside() {
  return {
    name: "wasm-inside",
    setup({ onLoad }) {
      onLoad({ filter: /\.wasm$/ }, ({ path, with: attributes }) => {
        if (attributes.type === "bytes") return undefined;
        const bytes = JSON.stringify(path);
        return {
          contents: `import bytes from ${bytes} with { type: "bytes" }; export default new WebAssembly.Module(bytes);`,
        };
      });
    },
  };
}

function modelsInside() {
  return {
    name: "models-inside",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^embedded-models$/ }, ({ path }) => ({ path, namespace: "embedded-models" }));
      onLoad({ filter: /./, namespace: "embedded-models" }, () => {
        const files = Object.entries(FILES);
        const imports = files.map(([, file], i) => `import f${i} from ${JSON.stringify(file)} with { type: "bytes" };`);
        const entries = files.map(([path], i) => `${JSON.stringify(path)}: f${i}`);
        return { contents: `${imports.join("\n")}\nexport default { ${entries.join(", ")} };`, resolveDir: folder };
      });
    },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await bundle(process.argv[2]));
