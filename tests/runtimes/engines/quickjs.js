// QuickJS, which has no WebAssembly, and no globals but ECMAScript's.

import { createRequire } from "node:module";
import { getQuickJS } from "quickjs-emscripten";
import { bundle } from "./bundle.js";

export const { version } = createRequire(import.meta.url)("quickjs-emscripten/package.json");

/** @param {string} folder where the package is installed */
export function quickjsEngines(folder) {
  const engine = (name, program) => ({
    name: `QuickJS: ${name}`,
    run: async () => {
      const script = await bundle(folder, program, { format: "iife", globalName: "program" });
      const context = (await getQuickJS()).newContext();
      try {
        const result = context.unwrapResult(context.evalCode(`${script}; program.result`));
        const answer = context.dump(result);
        result.dispose();
        return { version, answer };
      } finally {
        context.dispose();
      }
    },
  });
  return [engine("portable, sampling", "sampling-portable.js"), engine("portable", "quickjs-digest.js")];
}
