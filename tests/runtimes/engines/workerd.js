// Cloudflare's workerd, by miniflare: the Worker is bundled with the conditions that wrangler sets, and the module stays
// a file of its own.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { bundle } from "./bundle.js";

const require = createRequire(import.meta.url);
const { version } = require("workerd/package.json");

/** Why workerd cannot start here, if it cannot: its binary is an optional package of the platform. */
function missing() {
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

/** @param {string} folder where the package is installed */
export function workerdEngines(folder) {
  const start = async () => {
    const files = [];
    const contents = await bundle(folder, "worker.js", {
      conditions: ["workerd", "worker", "browser"],
      plugins: [hostWasm(files)],
    });
    if (files.length !== 1) throw new Error(`the bundle imports ${files.length} .wasm files`);
    const { Miniflare } = await import("miniflare");
    return new Miniflare({
      compatibilityDate: "2025-06-01",
      modulesRoot: folder,
      modules: [
        { type: "ESModule", path: join(folder, "bundle.js"), contents },
        { type: "CompiledWasm", path: join(folder, files[0].path), contents: readFileSync(files[0].file) },
      ],
    });
  };
  const engine = (name, path) => ({
    name: `workerd: ${name}`,
    run: async () => {
      const reason = missing();
      if (reason !== null) return { version, skipped: reason };
      const worker = await start();
      try {
        const response = await worker.dispatchFetch(`http://worker${path}`);
        return { version, answer: await response.text() };
      } finally {
        await worker.dispose();
      }
    },
  });
  return [engine("a Worker that samples", "/"), engine("a Worker", "/digest")];
}
