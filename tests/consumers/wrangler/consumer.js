import { readdirSync } from "node:fs";
import { join } from "node:path";
import { largestScript } from "../pages.js";
import { commandOf, nodeOf, runCommand, serve } from "../tools.js";

const folder = import.meta.dirname;
const env = { WRANGLER_SEND_METRICS: "false" };

export default [
  {
    name: "wrangler: deploy --dry-run, and dev",
    packages: ["wrangler"],
    run: async () => {
      const options = { node: 22, env };
      await runCommand(folder, "wrangler", ["deploy", "--dry-run", "--minify", "--outdir", "build"], options);
      const site = join(folder, "build");
      if (!readdirSync(site).some((name) => name.endsWith(".wasm"))) throw new Error("the module is not deployed");
      const server = await serve(folder, nodeOf(22), (port) => [commandOf("wrangler"), "dev", "--port", port], env);
      try {
        const response = await fetch(server.url);
        return { output: await response.text(), bundle: largestScript(site) };
      } finally {
        await server.close();
      }
    },
  },
];
