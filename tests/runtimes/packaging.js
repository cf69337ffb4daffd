// The package itself: what the registries' linters say of it, its types under each way of resolving modules, what a
// bundler leaves out, and that nothing runs at import.

import { execFileSync } from "node:child_process";
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

await check("publint", () => run("publint", "--strict", tarball));

// The .wasm files are no modules with types, and an ESM-only package is seen by CommonJS through require(esm).
await check("are the types wrong", () =>
  run("attw", tarball, "--profile", "esm-only", "--exclude-entrypoints", "./core.wasm", "./core.scalar.wasm"),
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
writeFileSync(join(folder, "user.mts"), USER);
for (const [module, moduleResolution] of [
  ["nodenext", "nodenext"],
  ["esnext", "bundler"],
  ["node16", "node16"],
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
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["user.mts"] }));
  await check(`types under moduleResolution ${moduleResolution}`, () => run("tsc", "--project", folder));
}

await check("an import of the generator alone leaves the schedulers out", async () => {
  const stdin = { contents: 'export { Generator } from "ddim-wasm";', resolveDir: folder };
  const text = await bundle(folder, "", { entryPoints: undefined, stdin, minify: true });
  for (const part of ["diffusers' order", "exactSteps", "DDIMInverseScheduler"]) {
    if (text.includes(part)) throw new Error(`it carries "${part}"`);
  }
});

await check("nothing runs at import", () => {
  for (const entry of ["ddim-wasm", "ddim-wasm/portable"]) {
    const script = `delete globalThis.WebAssembly; await import("${entry}")`;
    execFileSync(process.execPath, ["--input-type=module", "--eval", script], { cwd: folder, stdio: "pipe" });
  }
});

await check("an edge function's file does not name what is refused there", () => {
  const file = join(folder, "node_modules/ddim-wasm/build/edge-light.js");
  const text = readFileSync(file, "utf8");
  for (const name of ["WebAssembly.compile", "WebAssembly.instantiate", "eval(", "new Function"]) {
    if (text.includes(name)) throw new Error(`it names ${name}`);
  }
  if (!text.includes("./core.wasm?module")) throw new Error("it does not import ./core.wasm?module");
});

process.exit(failures > 0 ? 1 : 0);
