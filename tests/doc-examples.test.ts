// Every public function, method and class has an @example in its doc comment; each example compiles against the built
// package's types, under a strict compiler, and runs.

import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { DDIMInverseScheduler, DiffusionPipeline, DDIMScheduler, Generator } from "ddim-wasm";
import { transformSync } from "esbuild";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { commandFile } from "../scripts/programs.js";

const root = new URL("../../", import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), "utf8");

// What examples take as given: a name's type, and how its value is made for each run. An example may declare the same
// name itself. The library's own names are not among them: examples import those.
const tensor = () => new Generator(1).randn([1, 4, 64, 64]);
const predict = async (sample: { data: Float32Array; dims: number[] }) => ({
  data: sample.data.map((value) => value * 0.1),
  dims: sample.dims,
});
const withSteps = <S extends DDIMScheduler | DDIMInverseScheduler>(scheduler: S): S => {
  scheduler.setTimesteps(20);
  return scheduler;
};
const given: Record<string, { type: string; make: () => unknown }> = {
  scheduler: { type: "DDIMScheduler", make: () => withSteps(new DDIMScheduler()) },
  inverse: { type: "DDIMInverseScheduler", make: () => withSteps(new DDIMInverseScheduler()) },
  pipeline: {
    type: "DiffusionPipeline",
    make: () => new DiffusionPipeline({ scheduler: withSteps(new DDIMScheduler()), model: predict }),
  },
  generator: { type: "Generator", make: () => new Generator(0) },
  model: { type: "(sample: Tensor, t: number) => Promise<PlainTensor<Float32Data>>", make: () => predict },
  unet: { type: "(sample: Tensor, t: number) => Promise<PlainTensor<Float32Data>>", make: () => predict },
  sample: { type: "PlainTensor<Float32Data>", make: tensor },
  modelOutput: { type: "PlainTensor<Float32Data>", make: tensor },
  predOriginalSample: { type: "PlainTensor<Float32Data>", make: tensor },
  image: { type: "PlainTensor<Float32Data>", make: tensor },
  noise: { type: "PlainTensor<Float32Data>", make: tensor },
  t: { type: "number", make: () => 500 },
  show: { type: "(step: number, image: Tensor) => void", make: () => () => {} },
  // Neither browsers' nor Node's types are given to the compiler: the package must do without.
  console: { type: "{ log(...values: unknown[]): void }", make: () => ({ log() {} }) },
};
const givenTypes =
  "DDIMInverseScheduler, DiffusionPipeline, DDIMScheduler, Float32Data, Generator, PlainTensor, Tensor";

interface Example {
  /** The source that has it, such as "src/random/generator.ts". */
  file: string;
  /** The line of its tag, and so of the first line of `code`. */
  line: number;
  /** What it is an example of: "allocate", "Generator.seed". */
  name: string;
  code: string;
}

/** The doc comments of a source, by the name of what they document, with the examples in each. */
function readComments(file: string): Map<string, Example[]> {
  const source = read(file);
  const comments = new Map<string, Example[]>();
  let owner = "";
  for (const { index, groups } of source.matchAll(
    /^(?:[a-z]+ )*(?:class|interface) (?<owner>\w+)|^(?<indent> *)\/\*\*(?<text>[^]*?)\*\/\s*(?=(?<declaration>.*))/gm,
  )) {
    const { indent, text, declaration } = groups!;
    owner = groups!["owner"] ?? owner;
    // Modifiers and keywords are words in lower case with a space behind them; what follows is the name.
    const declared = /^(?:[a-z]+ )*(\w+)/.exec(declaration ?? "")?.[1];
    if (text === undefined || declared === undefined) continue;
    const name = indent ? `${owner}.${declared}` : declared;
    const line = source.slice(0, index).split("\n").length;
    comments.set(name, [...(comments.get(name) ?? []), ...readExamples(file, name, line, text)]);
  }
  return comments;
}

/** The examples in a comment's text, which begins in `line`: each goes to the next tag, or to the end. */
function readExamples(file: string, name: string, line: number, text: string): Example[] {
  const examples: Example[] = [];
  let current: Example | null = null;
  for (const commentLine of text.split("\n")) {
    const content = commentLine.replace(/^\s*\* ?/, "").trimEnd();
    const [, tag, rest] = /^\s*@(\w+)\s*(.*)/.exec(content) ?? [];
    if (tag === "example") examples.push((current = { file, line, name, code: `${rest}\n` }));
    else if (tag) current = null;
    else if (current) current.code += `${content}\n`;
    line++;
  }
  return examples;
}

interface Declaration {
  file: string;
  name: string;
  kind: "function" | "class" | "other";
  base: string | undefined;
  methods: readonly string[];
  /** Every name in it. */
  words: ReadonlySet<string>;
}

interface Module {
  declarations: Map<string, Declaration>;
  /** Which module a name comes from that is imported, or exported again. */
  origins: Map<string, string>;
}

/** Reads one of the built .d.ts files, which the compiler has written in its own regular way. */
function readModule(path: string): Module {
  const declarations = new Map<string, Declaration>();
  const origins = new Map<string, string>();
  const text = read(`build/types/${path}`).replace(/^ *\/\*\*[^]*?\*\/\n/gm, "");
  // A declaration, and nothing else, begins at a line's start; members are indented by four spaces.
  for (const declaration of text.split(/^(?=\w)/m)) {
    const [, names, module] = /^(?:import|export) (?:type )?\{([^}]*)\} from "(.+)";/.exec(declaration) ?? [];
    if (names !== undefined) {
      const origin = new URL(module!, `file:///${path}`).pathname.slice(1).replace(/\.js$/, ".d.ts");
      for (const name of names.matchAll(/[^,\s][^,]*/g)) origins.set(name[0].trim().replace(/^type /, ""), origin);
      continue;
    }
    assert.not.match(
      declaration,
      /^(import|export) .*\bfrom "|^export default/,
      `${path}: a form that is not read here`,
    );
    const [, keyword, name, base] =
      /(?<![^ ])(class|function|interface|type|const) (\w+)(?:<.*?>)?(?: extends (\w+))?/.exec(declaration) ?? [];
    if (!keyword || !name) continue;
    const methods =
      keyword === "class" || keyword === "interface"
        ? [...declaration.matchAll(/^ {4}(?:static |abstract )*(?!constructor\b)(\w+)\??(?:<.*>)?\(/gm)].map(
            ([, method]) => method!,
          )
        : [];
    const callable = keyword === "function" || (keyword === "const" && declaration.includes("=>"));
    declarations.set(name, {
      file: path.replace(/\.d\.ts$/, ".ts"),
      name,
      kind: callable ? "function" : keyword === "class" ? "class" : "other",
      base,
      methods: [...new Set(methods)],
      words: new Set(declaration.match(/\w+/g)),
    });
  }
  return { declarations, origins };
}

const modules = new Map<string, Module>();
const reached = new Set<Declaration>();

/** The declaration of a name, found from a module. It, and all that it mentions, is added to `reached`. */
function reach(path: string, name: string): Declaration | undefined {
  const module = modules.get(path) ?? readModule(path);
  modules.set(path, module);
  const declaration = module.declarations.get(name);
  if (!declaration) {
    const origin = module.origins.get(name);
    return origin === undefined ? undefined : reach(origin, name);
  }
  if (!reached.has(declaration)) {
    reached.add(declaration);
    for (const word of declaration.words) reach(path, word);
  }
  return declaration;
}

const sources = readdirSync(new URL("src/", root), { encoding: "utf8", recursive: true })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => `src/${name.replaceAll("\\", "/")}`);
const comments = new Map(sources.map((file) => [file, readComments(file)]));
const examples = [...comments.values()].flatMap((ofFile) => [...ofFile.values()].flat());

// What users can call: the exported functions and classes, and the methods of all that the exports lead to.
const callable: { declaration: Declaration; method: string | null }[] = [];
for (const name of readModule("index.d.ts").origins.keys()) {
  const declaration = reach("index.d.ts", name);
  assert.ok(declaration, `index.d.ts: ${name} is declared somewhere`);
  if (declaration.kind !== "other") callable.push({ declaration, method: null });
}
for (const declaration of reached) {
  for (const method of declaration.methods) callable.push({ declaration, method });
}

const nameOf = ({ name }: Declaration, method: string | null): string => (method === null ? name : `${name}.${method}`);

/** The examples of a callable. A method without a comment has that of the method it overrides, as editors show it. */
function examplesOf(declaration: Declaration, method: string | null): Example[] {
  const { file, base } = declaration;
  const own = comments.get(file)?.get(nameOf(declaration, method));
  if (own || method === null || base === undefined) return own ?? [];
  const overridden = reach(file.replace(/\.ts$/, ".d.ts"), base);
  return overridden ? examplesOf(overridden, method) : [];
}

for (const { declaration, method } of callable) {
  const name = nameOf(declaration, method);
  test(`${declaration.file}: ${name} has an example that uses it`, () => {
    const found = examplesOf(declaration, method);
    assert.ok(found.length > 0, `${declaration.file}: the doc comment of ${name} has no @example`);
    const use = new RegExp(`\\b${method ?? name}\\b`);
    for (const { file, line, code } of found) assert.match(code, use, `${file}:${line}: no use of ${name}`);
  });
}

test("doc comments: what can be called and the examples are found", () => {
  const names = callable.map(({ declaration, method }) => nameOf(declaration, method));
  for (const name of [
    "allocate",
    "DDIMScheduler",
    "DDIMInverseScheduler",
    "DiffusionPipeline.stream",
    "Generator.randn",
    "NoiseLevels.fromConfig",
    "NoiseLevels.setTimesteps",
    "ResidentTensor.free",
    "Scheduler.addNoise",
    "Scheduler.step",
  ])
    assert.ok(names.includes(name), name);
  assert.is(examples.length, sources.flatMap((file) => read(file).match(/@example\b/g) ?? []).length);
});

// The examples as modules, compiled together, in one run of the compiler for each way of resolving modules.
const folder = new URL("./doc-examples/", import.meta.url);
mkdirSync(folder, { recursive: true });
const write = (name: string, text: string): void => writeFileSync(new URL(name, folder), text);
write(
  "given.d.ts",
  `import type { ${givenTypes} } from "ddim-wasm";
declare global {
${Object.entries(given)
  .map(([name, { type }]) => `  let ${name}: ${type};\n`)
  .join("")}}
`,
);
examples.forEach(({ code }, i) => write(`example${i}.ts`, code));

/** What the compiler says of each example, and besides. */
function compile(moduleResolution: string, module: string): { complaints: string[][]; otherOutput: string } {
  const compilerOptions = {
    target: "es2022",
    lib: ["es2022"],
    module,
    moduleResolution,
    types: [],
    strict: true,
    verbatimModuleSyntax: true,
    moduleDetection: "force",
    skipLibCheck: false,
    noEmit: true,
  };
  write("tsconfig.json", JSON.stringify({ compilerOptions, include: ["*.ts"] }));
  const { error, status, stdout, stderr } = spawnSync(
    process.execPath,
    [commandFile("typescript", "tsc"), "--project", fileURLToPath(folder), "--pretty", "false"],
    { cwd: fileURLToPath(folder), encoding: "utf8" },
  );
  if (error) throw error;
  const complaints = examples.map((): string[] => []);
  let otherOutput = stderr;
  let ownComplaints: string[] | undefined;
  for (const line of stdout.split("\n")) {
    const [, index, lineInCode, message] = /^example(\d+)\.ts\((\d+),\d+\): (.*)/.exec(line) ?? [];
    if (index !== undefined) {
      const { file, line: tagLine } = examples[Number(index)]!;
      ownComplaints = complaints[Number(index)]!;
      ownComplaints.push(`${file}:${tagLine + Number(lineInCode) - 1}: ${message}`);
    } else if (ownComplaints && /^\s+\S/.test(line)) {
      ownComplaints.push(line); // the message goes on
    } else if (line) {
      ownComplaints = undefined;
      otherOutput += `${line}\n`;
    }
  }
  if ((status === 0) !== (complaints.flat().length === 0)) otherOutput += `the compiler's exit status is ${status}`;
  return { complaints, otherOutput };
}

for (const [moduleResolution, module] of [
  ["nodenext", "nodenext"],
  ["node16", "node16"],
  ["bundler", "esnext"],
] as const) {
  const { complaints, otherOutput } = compile(moduleResolution, module);

  test(`doc comments under moduleResolution ${moduleResolution}: the compiler has nothing to say but about examples`, () => {
    assert.is(otherOutput, "");
  });

  examples.forEach(({ file, line, name }, i) => {
    test(`${file}:${line}: the example of ${name} compiles under moduleResolution ${moduleResolution}`, () => {
      assert.is(complaints[i]!.join("\n"), "");
    });
  });
}

examples.forEach(({ file, line, name, code }, i) => {
  test(`${file}:${line}: the example of ${name} runs`, async () => {
    const options = { loader: "ts", tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } } } as const;
    write(`example${i}.mjs`, transformSync(code, options).code);
    // An example may assign to what it is given, which takes global variables: imported ones are constant.
    const before = Object.keys(given).map((key) => [key, Object.getOwnPropertyDescriptor(globalThis, key)] as const);
    for (const [key, { make }] of Object.entries(given)) {
      Object.defineProperty(globalThis, key, { value: make(), writable: true, configurable: true });
    }
    try {
      await import(new URL(`example${i}.mjs`, folder).href);
    } finally {
      for (const [key, descriptor] of before) {
        if (descriptor) Object.defineProperty(globalThis, key, descriptor);
        else Reflect.deleteProperty(globalThis, key);
      }
    }
  });
});

test.run();
