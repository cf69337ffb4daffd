import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { openPage } from "../pages.js";
import { modules } from "../tools.js";

const site = join(import.meta.dirname, "build");

export default [
  {
    name: "a page without a bundler, from a CDN's file",
    packages: [],
    run: async () => {
      // A CDN serves the files of the package, and for its name alone the one that package.json names.
      cpSync(join(modules, "ddim-wasm"), join(site, "ddim-wasm"), { recursive: true });
      cpSync(join(import.meta.dirname, "index.html"), join(site, "index.html"));
      const { unpkg, jsdelivr } = JSON.parse(readFileSync(join(site, "ddim-wasm/package.json"), "utf8"));
      for (const path of [unpkg, jsdelivr]) {
        if (path !== "./build/ddim-wasm.min.js") throw new Error(`a CDN serves ${path}`);
      }
      return { output: await openPage(site) };
    },
  },
];
