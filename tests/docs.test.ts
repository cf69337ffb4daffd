// What README.md and docs/ show is true: JavaScript runs as it stands, beside a model; TypeScript compiles; links lead
// somewhere, in both languages; the tables of options are complete. The code of the Chinese pages is that of the English
// ones: see docs-languages.test.ts.

import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as library from "ddim-wasm";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { commandFile } from "../scripts/programs.js";

const root = new URL("../../", import.meta.url);
const list = (folder: string): string[] =>
  readdirSync(new URL(folder, root))
    .filter((name) => name.endsWith(".md"))
    .map((name) => folder + name);
const read = (paths: string[]): [string, string][] =>
  paths.map((path) => [path, readFileSync(new URL(path, root), "utf8")]);
const english = new Map(read(["README.md", "CHANGELOG.md", ...list("docs/")]));
const pages = new Map([...english, ...read(["README.zh-CN.md", ...list("docs/zh/")])]);

/** Programs that begin with their file's name, and what runs them: examples/digits/test, and tests/runtimes. */
const PROGRAMS: Record<string, readonly string[]> = {
  "README.md": ["draw.mjs"],
  "docs/runtimes.md": [
    "sampling.js",
    "sampling-page.js",
    "sampling-in-worker.js",
    "sampling-worker.js",
    "worker.js",
    "edge-function.js",
    "sampling-portable.js",
  ],
};

interface Block {
  page: string;
  line: number;
  language: string;
  code: string;
}
const blocks: Block[] = [...english].flatMap(([page, text]) =>
  [...text.matchAll(/^```(\w*)\n([^]*?)^```$/gm)].map(({ index, 1: language, 2: code }) => ({
    page,
    line: text.slice(0, index).split("\n").length,
    language: language!,
    code: code!,
  })),
);
const folder = new URL("./docs/", import.meta.url);
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });

// What the examples take as given: a model. What they print is kept.
const GIVEN = `
async function unet(sample, t, condition) {
  return { data: sample.data.map((value) => value * 0.9), dims: sample.dims };
}
const printed = [];
const console = { log: (...values) => printed.push(values.join(" ")) };
`;

const programs: Record<string, string[]> = {};
for (const { page, line, language, code } of blocks) {
  if (language !== "js") continue;
  const program = /^\/\/ (\S+\.m?js)\n/.exec(code)?.[1];
  if (program !== undefined) {
    (programs[page] ??= []).push(program);
    continue;
  }
  test(`${page}:${line} runs`, () => {
    const file = new URL(`${page.replaceAll(/\W/g, "-")}-${line}.mjs`, folder);
    writeFileSync(file, `${GIVEN}${code}\nprocess.stdout.write(JSON.stringify(printed));\n`);
    // A process each: an example may load the module in its own way.
    const printed = JSON.parse(execFileSync(process.execPath, [fileURLToPath(file)], { encoding: "utf8" }));
    const expected = [...code.matchAll(/console\.log\(.*\); \/\/ (.*)/g)].map(([, text]) => text!);
    if (expected.length > 0) assert.equal(printed, expected);
  });
}

test("programs that are run elsewhere", () => {
  assert.equal(programs, PROGRAMS);
});

test("every block is of a language that is known here", () => {
  for (const { page, line, language } of blocks) {
    assert.ok(["js", "ts", "sh", "html", "text"].includes(language), `${page}:${line}: "${language}"`);
  }
});

const typed = blocks.filter(({ language }) => language === "ts");
typed.forEach(({ code }, i) => writeFileSync(new URL(`block${i}.ts`, folder), code));

test("TypeScript compiles", () => {
  assert.ok(typed.length > 0);
  const compilerOptions = {
    target: "es2022",
    lib: ["es2022"],
    module: "nodenext",
    moduleResolution: "nodenext",
    types: [],
    strict: true,
    moduleDetection: "force",
    noEmit: true,
  };
  writeFileSync(new URL("tsconfig.json", folder), JSON.stringify({ compilerOptions, include: ["*.ts"] }));
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [commandFile("typescript", "tsc"), "--project", fileURLToPath(folder), "--pretty", "false"],
    { cwd: fileURLToPath(folder), encoding: "utf8" },
  );
  const complaints = (stdout + stderr).replaceAll(/^block(\d+)\.ts\((\d+),\d+\)/gm, (_, i, line) => {
    const block = typed[Number(i)]!;
    return `${block.page}:${block.line + Number(line)}`;
  });
  assert.is(complaints, "");
});

/** The anchors of a page, as GitHub makes them of its headings. */
const anchorsOf = (text: string): Set<string> =>
  new Set(
    [...text.matchAll(/^#+ (.*)$/gm)].map(([, title]) =>
      title!
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );

for (const [page, text] of pages) {
  test(`${page}: its links lead somewhere`, () => {
    for (const [, link] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(link!)) continue;
      const [path, anchor] = link!.split("#");
      const target = path === "" ? page : new URL(path!, new URL(page, "file:///")).pathname.slice(1);
      assert.ok(existsSync(new URL(target, root)), `${link}: no such file`);
      if (anchor === undefined) continue;
      const there = pages.get(target);
      assert.ok(there !== undefined && anchorsOf(there).has(anchor), `${link}: no such heading`);
    }
  });
}

/** The names in the first column of the tables under a heading. */
function optionsUnder(page: string, title: string): string[] {
  const [, section] = pages.get(page)!.split(`\n${title}\n`);
  assert.ok(section, `${page}: ${title}`);
  return section
    .split(/\n#+ /)[0]!
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .flatMap((line) => [...line.split(" | ")[0]!.matchAll(/`(\w+)`/g)].map(([, name]) => name!));
}

/** The options that a call takes, as its message for an unknown one lists them. */
function optionsOf(call: (options: never) => unknown): string[] {
  try {
    call({ unknown: 1 } as never);
  } catch (error) {
    return /it takes (.*)$/.exec((error as Error).message)![1]!.split(", ");
  }
  throw new Error("an unknown option was taken");
}

test("the tables of options name them all", () => {
  const { DDIMScheduler } = library;
  const scheduler = new DDIMScheduler();
  scheduler.setTimesteps(4);
  const sample = new Float32Array(4);
  const tables: [string, string[], string[]][] = [
    [
      "DDIMScheduler",
      optionsUnder("docs/options.md", "## Options of a scheduler"),
      optionsOf((options) => new DDIMScheduler(options)),
    ],
    [
      "step",
      optionsUnder("docs/options.md", "## Options of a step"),
      optionsOf((options) => scheduler.step(sample, sample, 500, options)),
    ],
  ];
  for (const [name, documented, taken] of tables) {
    assert.equal(new Set(documented), new Set(taken), name);
  }
});

test.run();
