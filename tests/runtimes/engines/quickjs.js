// QuickJS, which has no WebAssembly, and no globals but ECMAScript's.

import { createRequire } from "node:module";
import { getQuickJS } from "quickjs-emscripten";
import { bundle } from "./bundle.js";

export const { version } = createRequire(import.meta.url)("quickjs-emscripten/package.json");

/** @param {string} folder where the package is installed */
export function quickjsEngine(folder) {
  return {
    name: "QuickJS: portable",
    run: async () => {
      const program = { contents: PROGRAM, resolveDir: folder };
      const script = await bundle(folder, "", {
        entryPoints: undefined,
        stdin: program,
        format: "iife",
        globalName: "result",
      });
      const context = (await getQuickJS()).newContext();
      try {
        const result = context.unwrapResult(context.evalCode(`${script}; result.digest`));
        const answer = context.dump(result);
        result.dispose();
        return { version, answer };
      } finally {
        context.dispose();
      }
    },
  };
}

const PROGRAM = `
import * as library from "ddim-wasm/portable";
import { digest as compute } from "./digest.js";

export const digest = compute(library);
`;
