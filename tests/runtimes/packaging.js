// The package itself: its files, what the registries' linters say of it, its types under each way of resolving modules,
// what a bundler leaves out, that nothing runs at import, and what an uncaught error prints.

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundle } from "./engines/bundle.js";
import { installPackage } from "./install.js";

const tools = fileURLToPath(new URL("node_modules/.bin", import.meta.url));
const folder = installPackage();
const tarball = readdirSync(folder).find((name) => name.endsWith(".tgz"));
let failures = 0;

async function check(name, run) {
  try {
    await run();
    console.log(`ok      ${name}`);
  } catch (error) {
    failures++;
    console.log(`FAILED  ${name}\n${error.stdout ?? ""}${error.stderr ?? error.stack}`);
  }
}

function run(tool, ...args) {
  return execFileSync(join(tools, tool), args, { cwd: folder, encoding: "utf8", stdio: "pipe" });
}

/** The files that are published, and no others. */
const FILES = `
CHANGELOG.md
LICENSE
NOTICE
README.md
README.zh-CN.md
build/core-bytes.cjs
build/core-bytes.js
build/core-scalar.cjs
build/core-scalar.js
build/core.scalar.wasm
build/core.wasm
build/ddim-wasm.min.js
build/edge-light.js
build/edge-light.js.map
build/index.cjs
build/index.d.cts
build/index.d.ts
build/index.js
build/index.js.map
build/portable.cjs
build/portable.js
build/portable.js.map
build/workerd.js
build/workerd.js.map
package.json
`;
await check("the files of the package", () => {
  const files = execFileSync("tar", ["--list", "--file", tarball], { cwd: folder, encoding: "utf8" });
  assert.deepEqual(
    files
      .replaceAll(/^package\//gm, "")
      .trim()
      .split("\n")
      .toSorted(),
    FILES.trim().split("\n"),
  );
});

await check("publint", () => run("publint", "--strict", tarball));

// The .wasm files are no modules with types. Hosts that import one as a module have no CommonJS.
const MODULES = ["./core.wasm", "./core.scalar.wasm"];
const HOSTS = ["./workerd", "./edge-light"];
await check("are the types wrong, in both formats", () =>
  run("attw", tarball, "--profile", "node16", "--exclude-entrypoints", ...MODULES, ...HOSTS),
);
await check("are the types wrong, of the hosts' entries", () =>
  run("attw", tarball, "--profile", "esm-only", "--entrypoints", ...HOSTS),
);

const USER = `
import { allocate, DiffusionPipeline, DDIMScheduler, Generator, init, latentToRgb, SD1_LATENT_RGB } from "ddim-wasm";
import * as portable from "ddim-wasm/portable";
import * as workerd from "ddim-wasm/workerd";
import * as edgeLight from "ddim-wasm/edge-light";

await init();
for (const library of [portable, workerd, edgeLight]) new library.Generator(1);
const scheduler = DDIMScheduler.fromConfig("{}", { predictionType: "v_prediction" });
scheduler.setTimesteps(20);
const sample = new Generator(42n).randn([1, 4, 8, 8]);
const { prevSample, predOriginalSample } = scheduler.step(sample, sample, 500, { eta: 1, returnDict: true });
const values: Float32Array = prevSample.data;
latentToRgb(predOriginalSample, SD1_LATENT_RGB);
const resident = allocate([1, 4, 8, 8], "float16");
const bits: Uint16Array = resident.data;
const pipeline = new DiffusionPipeline({ scheduler, model: (x, t: number) => x });
const image = await pipeline.run({ dims: [1, 4, 8, 8], numInferenceSteps: 5 });
export { bits, image, values };
`;
const USER_OF_COMMONJS = `
import library = require("ddim-wasm");
import portable = require("ddim-wasm/portable");

const noise: Float32Array = new library.Generator(1).randn([2]).data;
new portable.Generator(1).randn([2], { out: noise });
`;
writeFileSync(join(folder, "user.mts"), USER);
writeFileSync(join(folder, "user.cts"), USER_OF_COMMONJS);
for (const [module, moduleResolution, file] of [
  ["nodenext", "nodenext", "user.mts"],
  ["nodenext", "nodenext", "user.cts"],
  ["esnext", "bundler", "user.mts"],
  ["node16", "node16", "user.mts"],
  ["node16", "node16", "user.cts"],
]) {
  const compilerOptions = {
    module,
    moduleResolution,
    noEmit: true,
    strict: true,
    target: "es2022",
    lib: ["es2022"],
    types: [],
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: [file] }));
  await check(`types of ${file} under moduleResolution ${moduleResolution}`, () => run("tsc", "--project", folder));
}

await check("an import of the generator alone leaves the schedulers out", async () => {
  const stdin = { contents: 'export { Generator } from "ddim-wasm";', resolveDir: folder };
  const text = await bundle(folder, "", { entryPoints: undefined, stdin, minify: true });
  for (const part of ["diffusers' order", "exactSteps", "DDIMInverseScheduler"]) {
    if (text.includes(part)) throw new Error(`it carries "${part}"`);
  }
});

/** Takes away what an import does without, and makes what it must not change unchangeable. */
const BARE = `
const { log } = console;
const { WebAssembly: given } = globalThis;
for (const name of ["TextDecoder", "TextEncoder", "WebAssembly", "crypto", "performance", "console"])
  delete globalThis[name];
delete Object.hasOwn;
for (const { value } of Object.values(Object.getOwnPropertyDescriptors(globalThis)))
  if (typeof value === "function") Object.freeze(value);
`;
const FIRST_USE = `
try {
  log(new library.Generator(0).randn([16]).data[0]);
} catch ({ message }) {
  log(message);
}
if ("hasOwn" in Object) log("patched");
`;
const RIGHT = /^-1\.1258398294448853\n$/;
const ADVICE = /^this engine does not start the WebAssembly module.*import "ddim-wasm\/portable".*\n$/;

for (const [type, load] of [
  ["module", (entry) => `const library = await import("${entry}");`],
  ["commonjs", (entry) => `const library = require("${entry}");`],
]) {
  const start = (...program) =>
    spawnSync(process.execPath, [`--input-type=${type}`, "--eval", program.join("\n")], {
      cwd: folder,
      encoding: "utf8",
    });
  const answer = (...program) => {
    const { stdout, stderr } = start(BARE, ...program, FIRST_USE);
    return stdout + stderr;
  };

  await check(`nothing runs at import, and the first use tells what is missing (${type})`, () =>
    assert.match(answer(load("ddim-wasm")), ADVICE),
  );
  await check(`all that the default entry needs is WebAssembly, at the first use (${type})`, () =>
    assert.match(answer(load("ddim-wasm"), "globalThis.WebAssembly = given;"), RIGHT),
  );
  await check(`the portable entry needs ECMAScript alone (${type})`, () =>
    assert.match(answer(load("ddim-wasm/portable")), RIGHT),
  );
  await check(`classes have their names (${type})`, () => {
    const { stdout } = start(
      load("ddim-wasm"),
      "for (const [name, value] of Object.entries(library)) if (/^class\\b/.test(value)) console.log(name, value.name);",
    );
    const names = stdout.trim().split("\n");
    assert.ok(names.length > 3);
    for (const line of names) assert.match(line, /^(\w+) \1$/);
  });
  await check(`an uncaught error prints less than 2 KB (${type})`, () => {
    for (const entry of ["ddim-wasm", "ddim-wasm/portable"]) {
      const { status, stderr } = start(load(entry), "new library.DDIMScheduler({ beta_start: 1 });");
      assert.equal(status, 1);
      assert.match(stderr, /beta_start/);
      assert.ok(stderr.length < 2048, `${stderr.length} characters`);
    }
  });
}

await check("an edge function's file does not name what is refused there", () => {
  const file = join(folder, "node_modules/ddim-wasm/build/edge-light.js");
  const text = readFileSync(file, "utf8");
  for (const name of ["WebAssembly.compile", "WebAssembly.instantiate", "eval(", "new Function"]) {
    if (text.includes(name)) throw new Error(`it names ${name}`);
  }
  if (!text.includes("./core.wasm?module")) throw new Error("it does not import ./core.wasm?module");
});

process.exit(failures > 0 ? 1 : 0);
