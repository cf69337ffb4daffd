// Every public function, method and class has an @example in its doc comment; each example compiles against the built
// package's types, under a strict compiler, and runs.

import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { DDIMInverseScheduler, DDIMPipeline, DDIMScheduler, Generator } from "ddim-wasm";
import { buildSync } from "esbuild";
import { test } from "uvu";
import * as assert from "uvu/assert";

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
    type: "DDIMPipeline",
    make: () => new DDIMPipeline({ scheduler: withSteps(new DDIMScheduler()), model: predict }),
  },
  generator: { type: "Generator", make: () => new Generator(0) },
  model: { type: "(sample: Tensor, t: number) => Promise<PlainTensor<Float32Array>>", make: () => predict },
  unet: { type: "(sample: Tensor, t: number) => Promise<PlainTensor<Float32Array>>", make: () => predict },
  sample: { type: "PlainTensor<Float32Array>", make: tensor },
  modelOutput: { type: "PlainTensor<Float32Array>", make: tensor },
  predOriginalSample: { type: "PlainTensor<Float32Array>", make: tensor },
  image: { type: "PlainTensor<Float32Array>", make: tensor },
  noise: { type: "PlainTensor<Float32Array>", make: tensor },
  t: { type: "number", make: () => 500 },
  show: { type: "(step: number, image: Tensor) => void", make: () => () => {} },
  // Neither browsers' nor Node's types are given to the compiler: the package must do without.
  console: { type: "{ log(...values: unknown[]): void }", make: () => ({ log() {} }) },
};
const givenTypes = "DDIMInverseScheduler, DDIMPipeline, DDIMScheduler, Generator, PlainTensor, Tensor";

interface Example {
  /** The source that has it, such as "src/generator.ts". */
  file: string;
  /** Line of its tag; the code begins in the next. */
  line: number;
  /** What it is an example of: "allocate", "Generator.seed". */
  name: string;
  code: string;
}

/** The doc comments of a source, by the name of what they document, with the examples in each. */
function readComments(file: string): Map<string, Example[]> {
  const comments = new Map<string, Example[]>();
  const source = read(file);
  let owner = "";
  const pieces = source.matchAll(
    /^(?:export )?(?:declare )?(?:abstract )?(?:class|interface) (?<owner>\w+)|^(?<indent> *)\/\*\*(?<text>[^]*?)\*\/\s*(?<declaration>.*)/gm,
  );
  for (const { index, groups } of pieces) {
    if (groups!["owner"]) owner = groups!["owner"];
    const { indent, text, declaration } = groups!;
    if (text === undefined) continue;
    const declared =
      /^(?:(?:export|default|declare|abstract|public|protected|private|static|override|async|readonly|get|set|function|class|interface|type|const|let) )*[*#]?(\w+)/.exec(
        declaration!,
      )?.[1];
    if (declared === undefined) continue;
    // The comment before a class or an interface is read together with its first line.
    if (/^(?:export )?(?:declare )?(?:abstract )?(?:class|interface) /.test(declaration!)) owner = declared;
    const name = indent ? `${owner}.${declared}` : declared;
    comments.set(name, [...(comments.get(name) ?? []), ...readExamples(file, name, source.slice(0, index), text)]);
  }
  return comments;
}

/** The examples in a comment's text: each goes to the next tag, or to the end. */
function readExamples(file: string, name: string, before: string, text: string): Example[] {
  const examples: Example[] = [];
  let lineNumber = before.split("\n").length;
  let current: Example | null = null;
  for (const line of text.split("\n")) {
    const content = line.replace(/^\s*\* ?/, "");
    const tag = /^\s*@(\w+)\s*(.*)/.exec(content);
    if (tag) {
      current = tag[1] === "example" ? { file, line: lineNumber, name, code: "" } : null;
      if (current) examples.push(current);
      // What stands in the tag's own line is code as well.
      if (current && tag[2]) Object.assign(current, { line: lineNumber - 1, code: `${tag[2]}\n` });
    } else if (current) current.code += `${content.trimEnd()}\n`;
    lineNumber++;
  }
  return examples;
}

interface Declaration {
  file: string;
  kind: string;
  name: string;
  base: string | undefined;
  methods: string[];
  /** Every name in it. */
  words: Set<string>;
}

/** The declarations of a built .d.ts file, and where the names come from that it imports or exports again. */
function readDeclarations(path: string): { declarations: Map<string, Declaration>; origins: Map<string, string> } {
  const declarations = new Map<string, Declaration>();
  const origins = new Map<string, string>();
  const text = read(`build/types/${path}`).replace(/^ *\/\*\*[^]*?\*\/\n/gm, "");
  // The compiler begins each declaration, and nothing else, at a line's start; members are indented by four spaces.
  for (const declaration of text.split(/^(?=\w)/m)) {
    const from = /^(?:import|export) (?<type>type )?\{(?<names>[^}]*)\} from "(?<module>[^"]+)"/.exec(declaration);
    if (from) {
      const module = new URL(from.groups!["module"]!, `file:///${path}`).pathname.slice(1).replace(/\.js$/, ".d.ts");
      for (const item of from.groups!["names"]!.split(",")) {
        const [, type, name] = /^\s*(type )?(\w+)\s*$/.exec(item) ?? [];
        if (name) origins.set(from.groups!["type"] || type ? `type ${name}` : name, module);
        else assert.is(item.trim(), "", `${path}: a name that is not understood`);
      }
      continue;
    }
    const head =
      /^(?:export )?(?:declare )?(?:abstract )?(?<kind>\w+) (?<name>\w+)(?:<.*?>)?(?: extends (?<base>\w+))?/.exec(
        declaration,
      );
    const { kind, name, base } = head?.groups ?? {};
    if (!kind || !name) continue;
    const members = kind === "class" || kind === "interface" ? declaration.split("\n") : [];
    const methods = members.flatMap((line) => /^ {4}(?:static |abstract )*(\w+)\??(?:<.*>)?\(/.exec(line)?.[1] ?? []);
    declarations.set(name, {
      file: path.replace(/\.d\.ts$/, ".ts"),
      kind,
      name,
      base,
      methods: [...new Set(methods)].filter((method) => method !== "constructor"),
      words: new Set(declaration.match(/\w+/g)),
    });
  }
  return { declarations, origins };
}

const modules = new Map<string, ReturnType<typeof readDeclarations>>();

/** Adds the declaration of a name, and of all that it mentions, to `reached`. */
function reach(path: string, name: string, reached: Map<string, Declaration>): Declaration | undefined {
  if (!modules.has(path)) modules.set(path, readDeclarations(path));
  const { declarations, origins } = modules.get(path)!;
  const declaration = declarations.get(name);
  if (!declaration) {
    const origin = origins.get(name) ?? origins.get(`type ${name}`);
    return origin === undefined ? undefined : reach(origin, name, reached);
  }
  const key = `${path} ${name}`;
  if (!reached.has(key)) {
    reached.set(key, declaration);
    for (const word of declaration.words) reach(path, word, reached);
  }
  return declaration;
}

const sources = ["index.ts", ...readdirSync(new URL("src/", root)).map((name) => `src/${name}`)].filter((name) =>
  name.endsWith(".ts"),
);
const comments = new Map(sources.map((file) => [file, readComments(file)]));
const examples = [...comments.values()].flatMap((ofFile) => [...ofFile.values()].flat());

// Everything that users can call.
const reached = new Map<string, Declaration>();
const callable = new Map<string, { declaration: Declaration; method: string | null }>();
for (const exported of readDeclarations("index.d.ts").origins.keys()) {
  const declaration = reach("index.d.ts", exported.replace("type ", ""), reached);
  assert.ok(declaration, `${exported} is declared`);
  if (["function", "class"].includes(declaration.kind)) callable.set(exported, { declaration, method: null });
}
for (const declaration of reached.values()) {
  for (const method of declaration.methods) callable.set(`${declaration.name}.${method}`, { declaration, method });
}

/** The examples of a callable. A method without a comment has that of the method it overrides, as editors show it. */
function examplesOf(declaration: Declaration, method: string | null): Example[] {
  const name = method === null ? declaration.name : `${declaration.name}.${method}`;
  const own = comments.get(declaration.file)?.get(name);
  if (own || method === null || !declaration.base) return own ?? [];
  const base = reach(declaration.file.replace(/\.ts$/, ".d.ts"), declaration.base, reached);
  return base ? examplesOf(base, method) : [];
}

for (const [name, { declaration, method }] of callable) {
  test(`${declaration.file}: ${name} has an example that uses it`, () => {
    const found = examplesOf(declaration, method);
    assert.ok(found.length > 0, `${declaration.file}: the doc comment of ${name} has no @example`);
    const used = new RegExp(`\\b${method ?? name}\\b`);
    for (const { file, line, code } of found) assert.match(code, used, `${file}:${line}: it does not use ${name}`);
  });
}

test("doc comments: the public functions, methods and examples are found", () => {
  for (const name of ["allocate", "init", "DDIMPipeline", "DDIMScheduler.step", "NoiseScheduler.addNoise"])
    assert.ok(callable.has(name), name);
  const tags = sources.flatMap((file) => read(file).match(/@example/g) ?? []);
  assert.is(examples.length, tags.length, "as many examples as tags");
});

// The examples as modules, compiled together in one run of the compiler.
const folder = new URL("./doc-examples/", import.meta.url);
mkdirSync(folder, { recursive: true });
const write = (name: string, text: string): void => writeFileSync(new URL(name, folder), text);
write(
  "tsconfig.json",
  JSON.stringify({
    compilerOptions: {
      target: "es2022",
      lib: ["es2022"],
      module: "nodenext",
      moduleResolution: "nodenext",
      types: [],
      strict: true,
      verbatimModuleSyntax: true,
      moduleDetection: "force",
      skipLibCheck: false,
      noEmit: true,
    },
    include: ["*.ts"],
  }),
);
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

const compiler = spawnSync(
  fileURLToPath(new URL("node_modules/.bin/tsc", root)),
  ["--project", fileURLToPath(folder), "--pretty", "false"],
  { cwd: fileURLToPath(folder), encoding: "utf8" },
);
const complaints = examples.map((): string[] => []);
let otherOutput = compiler.stderr;
let ownComplaints: string[] | undefined;
for (const line of compiler.stdout.split("\n")) {
  const [, index, lineInCode, message] = /^example(\d+)\.ts\((\d+),\d+\): (.*)/.exec(line) ?? [];
  if (index !== undefined) {
    const { file, line: tagLine } = examples[Number(index)]!;
    ownComplaints = complaints[Number(index)]!;
    ownComplaints.push(`${file}:${tagLine + Number(lineInCode)}: ${message}`);
  } else if (ownComplaints && /^\s+\S/.test(line)) {
    ownComplaints.push(line); // the message goes on
  } else if (line) {
    ownComplaints = undefined;
    otherOutput += `${line}\n`;
  }
}

test("doc comments: the compiler has nothing to say but about examples", () => {
  assert.is(compiler.error, undefined);
  assert.is(otherOutput, "");
  assert.is(compiler.status === 0, complaints.flat().length === 0, `the compiler's exit status: ${compiler.status}`);
});

buildSync({
  entryPoints: examples.map((_, i) => fileURLToPath(new URL(`example${i}.ts`, folder))),
  outdir: fileURLToPath(folder),
  outExtension: { ".js": ".mjs" },
  format: "esm",
  logLevel: "silent",
});

examples.forEach(({ file, line, name }, i) => {
  test(`${file}:${line}: the example of ${name} compiles`, () => {
    assert.is(complaints[i]!.join("\n"), "");
  });

  test(`${file}:${line}: the example of ${name} runs`, async () => {
    const before = Object.getOwnPropertyDescriptors(globalThis);
    for (const [key, { make }] of Object.entries(given)) {
      Object.defineProperty(globalThis, key, { value: make(), writable: true, configurable: true });
    }
    try {
      await import(new URL(`example${i}.mjs`, folder).href);
    } finally {
      for (const key of Object.keys(given)) {
        if (key in before) Object.defineProperty(globalThis, key, before[key as keyof typeof before]);
        else Reflect.deleteProperty(globalThis, key);
      }
    }
  });
});

test.run();
