// Builds everything in build/ from assembly/, src/ and index.ts. The WebAssembly module is compiled only when assembly/
// has changed. With --changed only the module and the readable files are built, and of them what is out of date.

import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, transform } from "esbuild";
import { minify } from "terser";
import { commandFile } from "./programs.js";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const out = join(root, "build");

/** What is made from the module alone. */
const CORE_FILES = [
  "core.wasm",
  "core.scalar.wasm",
  "core-bytes.js",
  "core-bytes.cjs",
  "core-scalar.js",
  "core-scalar.cjs",
];
export const CORE_SOURCES = ["assembly", "asconfig.json", "package-lock.json", "scripts/build.js"];

/** Runs one of the development tools. */
function run(file, ...args) {
  execFileSync(process.execPath, [file, ...args], { cwd: root, stdio: "inherit" });
}

/** The time of the last change to a file, or to any file of a folder. */
function changed(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(...readdirSync(path, { recursive: true }).map((name) => statSync(join(path, name)).mtimeMs));
}

/** Compiles the module, and makes the JavaScript that holds it: as text, and as code for engines without WebAssembly. */
async function buildCore() {
  for (const target of ["release", "scalar"]) run(commandFile("assemblyscript", "asc"), "--target", target);
  // Hexadecimal text is longer than base64, but a quarter shorter once it is compressed.
  const hex = readFileSync(join(out, "core.wasm"), "hex");
  await writeModule("core-bytes", `// core.wasm, in hexadecimal digits.\nexport const hex = "${hex}";\n`);

  const file = join(out, "core-scalar.js");
  run(commandFile("binaryen", "wasm2js"), "build/core.scalar.wasm", "-O", "--output", file);
  const script = readFileSync(file, "utf8");
  const end = script.indexOf("var retasmFunc");
  if (end < 0) throw new Error("wasm2js no longer writes what this script expects");
  await writeModule(
    "core-scalar",
    `// core.scalar.wasm, turned into JavaScript by binaryen's wasm2js.\n${script.slice(0, end)}export { asmFunc as makeExports };\n`,
  );
}

/** Writes a module in both of JavaScript's formats. */
async function writeModule(name, code) {
  writeFileSync(join(out, `${name}.js`), code);
  writeFileSync(join(out, `${name}.cjs`), (await transform(code, { format: "cjs" })).code);
}

/**
 * AssemblyScript's loader as a function, since its own module makes a TextDecoder and sets Object.hasOwn where it is
 * imported. Only `demangle` is taken, which decodes no text; hasOwn is set on an object of the loader's own.
 */
export const deferredLoader = {
  name: "deferred-loader",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^@assemblyscript\/loader\?deferred$/ }, () => ({ path: "loader", namespace: "deferred" }));
    onLoad({ filter: /./, namespace: "deferred" }, async () => {
      const { outputFiles } = await build({
        stdin: { contents: 'export { demangle } from "@assemblyscript/loader";', resolveDir: root },
        write: false,
        bundle: true,
        minifySyntax: true,
        format: "esm",
        target: "es2022",
      });
      const [code, end] = outputFiles[0].text.split(/^export (?=\{)/m);
      if (end === undefined) throw new Error("esbuild no longer writes what this script expects");
      return {
        contents: `
          const evaluate = (Object, TextDecoder) => { ${code} return ${end} };
          const ownObject = () => Object.create(Object, { hasOwn: { value: Object.hasOwn, writable: true } });
          export default () => evaluate(ownObject(), class {});`,
      };
    });
  },
};

/** Leaves the module's files beside the bundle, which imports them. */
function coreBeside(extension) {
  return {
    name: "core-beside",
    setup({ onResolve }) {
      onResolve({ filter: /\/core-(bytes|scalar)\.js$/ }, ({ path }) => ({
        path: path.replace(/^.*\/(.+)\.js$/, `./$1${extension}`),
        external: true,
      }));
      onResolve({ filter: /^\.\/core\.wasm(\?module)?$/ }, ({ path }) => ({ path, external: true }));
    },
  };
}

/** Bundles the library for a platform. */
function bundle(platform, options) {
  return build({
    absWorkingDir: root,
    entryPoints: ["index.ts"],
    bundle: true,
    platform: "neutral",
    target: "es2022",
    mainFields: ["module", "main"],
    legalComments: "inline",
    alias: { "#platform": `./src/platform/${platform}.ts` },
    ...options,
  });
}

/** A readable file, which users' bundlers minify: an uncaught error prints one short line of it. */
async function bundleReadable(platform, file) {
  // Under the platform "node" a CommonJS file names its exports in a way that Node finds when it is imported.
  const options = file.endsWith(".cjs")
    ? { format: "cjs", platform: "node", plugins: [deferredLoader, coreBeside(".cjs")] }
    : { format: "esm", sourcemap: "linked", plugins: [deferredLoader, coreBeside(".js")] };
  const { outputFiles } = await bundle(platform, { outfile: join(out, file), write: false, ...options });
  for (const { path, text } of outputFiles) writeFileSync(path, path.endsWith(".map") ? text : restoreNames(text));
}

/** Gives a class that names itself its name again, which errors and consoles show: esbuild calls it `_Generator`. */
function restoreNames(code) {
  const names = Array.from(code.matchAll(/^var (\w+) = class _\1\b/gm), ([, name]) => name);
  return names.reduce((text, name) => text.replaceAll(new RegExp(`\\b_${name}\\b`, "g"), name), code);
}

/** One small file with everything in it, for pages without a bundler. */
async function bundleMinified(file) {
  const { version, license } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const { outputFiles } = await bundle("default", {
    write: false,
    format: "esm",
    minify: true,
    plugins: [deferredLoader],
    banner: { js: `/*! ddim-wasm ${version} | ${license} */` },
  });
  // terser makes it 4 % smaller than esbuild alone.
  const { code } = await minify(outputFiles[0].text, {
    module: true,
    ecma: 2022,
    compress: { passes: 3, unsafe_arrows: true },
  });
  writeFileSync(join(out, file), code);
}

/** The declarations: a file for each source, and one of what the package exports, in both formats. */
function declare() {
  run(commandFile("typescript", "tsc"), "--project", "tsconfig.build.json");
  const file = join(out, "index.d.ts");
  const options = ["--silent", "--no-banner", "--no-check", "--export-referenced-types=false"];
  run(
    commandFile("dts-bundle-generator"),
    ...options,
    "--project",
    "tsconfig.build.json",
    "--out-file",
    file,
    "build/types/index.d.ts",
  );
  copyFileSync(file, join(out, "index.d.cts"));
}

/** The readable files: for each the platform that it is made for. */
const READABLE = {
  "index.js": "default",
  "index.cjs": "default",
  "portable.js": "portable",
  "portable.cjs": "portable",
  "workerd.js": "workerd",
  "edge-light.js": "edge-light",
};
export const READABLE_SOURCES = ["index.ts", "src", "package-lock.json", "scripts/build.js"];

/** Whether files of build/ are all there, and newer than what they are made from. */
function isUpToDate(names, sources) {
  const files = names.map((name) => join(out, name));
  if (!files.every((file) => existsSync(file))) return false;
  return Math.min(...files.map(changed)) > Math.max(...sources.map((name) => changed(join(root, name))));
}

export async function bundleAllReadable() {
  // The first one alone, so that an error in a source is printed once.
  const [[first, platform], ...others] = Object.entries(READABLE);
  await bundleReadable(platform, first);
  await Promise.all(others.map(([file, platform]) => bundleReadable(platform, file)));
}

/**
 * Builds the module and the readable files, each only if it is out of date: what running the library takes.
 *
 * @param {(phase: string) => void} [onPhase] is told what is being built
 */
export async function buildChanged(onPhase = () => {}) {
  mkdirSync(out, { recursive: true });
  const isCoreNew = !isUpToDate(CORE_FILES, CORE_SOURCES);
  if (isCoreNew) {
    onPhase("compiling the WebAssembly module");
    await buildCore();
  }
  // They hold no byte of the module, but not every module fits them.
  if (!isCoreNew && isUpToDate(Object.keys(READABLE), READABLE_SOURCES)) return;
  onPhase("bundling the library");
  await bundleAllReadable();
}

/** Builds everything in build/; of the files that are there only the module is kept, if it is up to date. */
export async function buildAll() {
  mkdirSync(out, { recursive: true });
  for (const name of readdirSync(out)) {
    if (!CORE_FILES.includes(name)) rmSync(join(out, name), { recursive: true });
  }
  if (!isUpToDate(CORE_FILES, CORE_SOURCES)) await buildCore();
  await Promise.all([bundleAllReadable(), bundleMinified("ddim-wasm.min.js")]);
  declare();
}

if (realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await (process.argv.includes("--changed") ? buildChanged(console.log) : buildAll());
}
