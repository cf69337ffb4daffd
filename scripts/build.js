// Builds everything in build/ from assembly/, src/ and index.ts.

import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { minify } from "terser";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Runs one of the development tools, as `npx` would. */
function run(tool, ...args) {
  execFileSync(join(root, "node_modules", ".bin", tool), args, { cwd: root, stdio: "inherit" });
}

/** Turns the scalar module into JavaScript: a function that makes its exports, in place of the exports themselves. */
function makeScalarScript() {
  const file = join(root, "build/core.scalar.js");
  run("wasm2js", "build/core.scalar.wasm", "-O", "--output", file);
  const script = readFileSync(file, "utf8");
  const end = script.indexOf("var retasmFunc");
  if (end < 0) throw new Error("wasm2js no longer writes what this script expects");
  writeFileSync(file, `${script.slice(0, end)}export default asmFunc;\n`);
}

const wasmImports = {
  name: "wasm-imports",
  setup({ onResolve, onLoad }) {
    // Hexadecimal text is longer than base64, but a quarter shorter once it is compressed.
    onResolve({ filter: /\.wasm\?hex$/ }, () => ({ path: join(root, "build/core.wasm"), namespace: "hex" }));
    onLoad({ filter: /./, namespace: "hex" }, ({ path }) => ({ contents: readFileSync(path, "hex"), loader: "text" }));
    // What the host imports itself stays beside the entry.
    onResolve({ filter: /^\.\/core\.wasm(\?module)?$/ }, ({ path }) => ({ path, external: true }));
  },
};

/** Bundles the library for a platform; terser makes the bundle 4 % smaller than esbuild alone. */
async function bundle(platform, outfile) {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: ["index.ts"],
    write: false,
    bundle: true,
    minify: true,
    format: "esm",
    platform: "neutral",
    target: "es2022",
    mainFields: ["module", "main"],
    legalComments: "none",
    plugins: [wasmImports],
    alias: { "#platform": `./src/platform/${platform}.ts` },
  });
  const { code } = await minify(outputFiles[0].text, {
    module: true,
    ecma: 2022,
    compress: { passes: 3, unsafe_arrows: true },
  });
  writeFileSync(join(root, "build", outfile), code);
}

rmSync(join(root, "build"), { recursive: true, force: true });
for (const target of ["release", "scalar"]) run("asc", "--target", target);
makeScalarScript();
await bundle("default", "index.js");
await bundle("workerd", "workerd.js");
await bundle("edge-light", "edge-light.js");
await bundle("portable", "portable.js");
rmSync(join(root, "build/core.scalar.js"));
run("tsc", "--project", "tsconfig.build.json");
