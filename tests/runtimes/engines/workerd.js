// Cloudflare's workerd, by miniflare: the Worker is bundled with the conditions that wrangler sets, and the module stays
// a file of its own.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { bundle } from "./bundle.js";

const require = createRequire(import.meta.url);
export const { version } = require("workerd/package.json");

/** Why workerd cannot start here, if it cannot: its binary is an optional package of the platform. */
export function missing() {
  try {
    require("workerd");
    return null;
  } catch (error) {
    return error.message.split("\n")[0];
  }
}

/** Leaves the import of the module to the host, and remembers the file. */
function hostWasm(files) {
  return {
    name: "host-wasm",
    setup({ onResolve }) {
      onResolve({ filter: /\.wasm$/ }, ({ path, resolveDir }) => {
        files.push({ path, file: join(resolveDir, path) });
        return { path, external: true };
      });
    },
  };
}

/**
 * Bundles a Worker.
 * @param {string} folder where the package is installed
 * @param {string} program a file in it
 * @returns {Promise<object>} what Miniflare's constructor takes
 */
export async function bundleWorker(folder, program) {
  const files = [];
  const contents = await bundle(folder, program, {
    conditions: ["workerd", "worker", "browser"],
    plugins: [hostWasm(files)],
  });
  return {
    compatibilityDate: "2025-06-01",
    modulesRoot: folder,
    modules: [
      { type: "ESModule", path: join(folder, "bundle.js"), contents },
      ...files.map(({ path, file }) => ({
        type: "CompiledWasm",
        path: join(folder, path),
        contents: readFileSync(file),
      })),
    ],
  };
}

/** @param {string} folder where the package is installed */
export function workerdEngines(folder) {
  const engine = (name, program) => ({
    name: `workerd: ${name}`,
    run: async () => {
      const reason = missing();
      if (reason !== null) return { version, skipped: reason };
      const options = await bundleWorker(folder, program);
      if (options.modules.length !== 2) throw new Error("the module is not one file beside the bundle");
      const { Miniflare } = await import("miniflare");
      const worker = new Miniflare(options);
      try {
        const response = await worker.dispatchFetch("http://worker/");
        return { version, answer: await response.text() };
      } finally {
        await worker.dispose();
      }
    },
  });
  return [engine("a Worker that samples", "worker.js"), engine("a Worker", "worker-digest.js")];
}
