// The declarations that are published. What they promise is held by tests/types/, where the compiler alone checks it.

import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { commandFile } from "../scripts/programs.js";

const root = new URL("../../", import.meta.url);
const types = new URL("build/types/", root);

test("no public declaration says any", () => {
  const files = readdirSync(types, { encoding: "utf8", recursive: true }).filter((name) => name.endsWith(".d.ts"));
  assert.ok(files.includes("index.d.ts") && files.length > 10, `${files.length} files`);
  for (const file of files) {
    const text = readFileSync(new URL(file, types), "utf8");
    const code = text.replace(/\/\*[^]*?\*\/|\/\/.*|"(?:[^"\\\n]|\\.)*"/g, (comment) => comment.replace(/[^\n]/g, " "));
    code.split("\n").forEach((line, i) => assert.not.match(line, /\bany\b/, `${file}:${i + 1}`));
  }
});

// What a compiler finds whose library knows Float16Array and Symbol.dispose, which that of es2022 does not.
const LATER = `
import { allocate, DDIMScheduler, DiffusionPipeline, Generator, type PlainTensor, type F16 } from "ddim-wasm";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare function check<Truth extends true>(): Truth;

check<Same<F16, Float16Array>>();
const scheduler = new DDIMScheduler();
const halves = new Float16Array(4);
const next = scheduler.step(halves, halves, 999);
check<Same<typeof next, Float16Array<ArrayBuffer>>>();
const fromShared = scheduler.step(halves, new Float16Array(new SharedArrayBuffer(8)), 999);
check<Same<typeof fromShared, Float16Array<ArrayBuffer>>>();
const filled = new Generator(0).randn([4], { out: halves });
check<Same<typeof filled, PlainTensor<Float16Array<ArrayBuffer>>>>();
check<Same<typeof filled.type, "float16">>();
const pipeline = new DiffusionPipeline({ scheduler, model: (sample: Float16Array) => sample });
const image = await pipeline.run({ sample: halves });
check<Same<typeof image, Float16Array<ArrayBuffer>>>();
// @ts-expect-error the model takes a Float16Array
pipeline.run({ sample: new Float32Array(4) });
{
  using memory = allocate([4]);
  memory[Symbol.dispose]();
}
`;

// What other libraries export: the compiler writes declarations for them, which have to find a name for every type.
const EXPORTED = `
import { allocate, DDIMScheduler, DiffusionPipeline, Generator, latentToRgb, type RunOptions, type PlainTensor, SD1_LATENT_RGB, type Tensor } from "ddim-wasm";

export const scheduler = DDIMScheduler.fromConfig({});
export const config = scheduler.config;
export const pipeline = new DiffusionPipeline({ scheduler, model: (sample) => sample });
export const either = new DiffusionPipeline({ scheduler, model: (sample: PlainTensor) => sample });
export const image = await pipeline.run({ dims: [1] });
export const bits = await either.run({ dims: [1], type: "float16" });
export const ofOptions = await pipeline.run({} as RunOptions);
export const stream = pipeline.stream({ dims: [1] });
export const inversion = await pipeline.invert({ sample: image });
export const memory = allocate([1]);
export const noise = new Generator(0).randn([1], { out: image.data });
export const both = scheduler.step(image, memory, 1, { returnDict: true });
export const picture = latentToRgb(image, SD1_LATENT_RGB);
export const stepOf = <X extends Tensor>(sample: X) => scheduler.step(sample, sample, 1);
export const runOf = <X extends PlainTensor>(sample: X) => either.run({ sample });
export class Mine extends DDIMScheduler {}
`;

/** What the compiler says of a program whose package has installed ddim-wasm. */
function compile(name: string, text: string, options: object): string {
  const folder = new URL(`./public-types/${name}/`, import.meta.url);
  const write = (file: string, content: string): void => writeFileSync(new URL(file, folder), content);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(new URL("node_modules/", folder), { recursive: true });
  symlinkSync(fileURLToPath(root), new URL("node_modules/ddim-wasm", folder), "junction");
  const compilerOptions = {
    module: "nodenext",
    types: [],
    strict: true,
    skipLibCheck: false,
    preserveSymlinks: true,
    outDir: "out",
    ...options,
  };
  write("package.json", JSON.stringify({ name: "user", type: "module" }));
  write("tsconfig.json", JSON.stringify({ compilerOptions, include: ["program.ts"] }));
  write("program.ts", text);
  const { error, stdout, stderr, status } = spawnSync(
    process.execPath,
    [commandFile("typescript", "tsc"), "--project", fileURLToPath(folder), "--pretty", "false"],
    { cwd: fileURLToPath(folder), encoding: "utf8" },
  );
  if (error) throw error;
  return `${stdout}${stderr}exit status ${status}`;
}

test("Float16Array and using declarations, where the compiler knows them", () => {
  assert.is(compile("later", LATER, { target: "esnext", lib: ["esnext"] }), "exit status 0");
});

test("every type that users export has a name in their declarations", () => {
  const options = { target: "es2022", lib: ["es2022"], declaration: true };
  assert.is(compile("exported", EXPORTED, options), "exit status 0");
});

test("a compiler that finds a mistake says so", () => {
  const options = { target: "es2022", lib: ["es2022"] };
  assert.match(
    compile("mistaken", 'import { nothing } from "ddim-wasm";\nnothing();', options),
    /has no exported member/,
  );
});

test.run();
