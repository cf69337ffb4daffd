// `npm version`, in a copy of the repository: what it writes and commits, and that release.yml's check then agrees.

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { parse } from "yaml";
import { runNpm } from "../../scripts/programs.js";
import { read, root } from "./repository.js";

const folders = [];
after(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

const env = {
  ...process.env,
  GIT_CONFIG_GLOBAL: join(root, "no-such-file"),
  GIT_AUTHOR_NAME: "author",
  GIT_AUTHOR_EMAIL: "author@example.com",
  GIT_COMMITTER_NAME: "author",
  GIT_COMMITTER_EMAIL: "author@example.com",
};

/** A repository with the files that a release touches, and a changelog that begins with a heading. */
function makeRepository(heading) {
  const folder = mkdtempSync(join(tmpdir(), "ddim-wasm-"));
  folders.push(folder);
  for (const path of ["package.json", "package-lock.json", ".npmrc", "CHANGELOG.md", "CITATION.cff", "scripts"]) {
    cpSync(join(root, path), join(folder, path), { recursive: true });
  }
  const git = (...args) => execFileSync("git", args, { cwd: folder, env, encoding: "utf8" });
  const file = (name) => join(folder, name);
  writeFileSync(file("CHANGELOG.md"), read("CHANGELOG.md").replace(/^## .*/m, heading));
  git("init", "--quiet");
  git("add", ".");
  git("commit", "--quiet", "--message=begin");
  return {
    folder,
    git,
    read: (name) => readFileSync(file(name), "utf8"),
    version: (...args) =>
      runNpm(["version", ...args, "--ignore-scripts=false"], { cwd: folder, env, encoding: "utf8", stdio: "pipe" }),
    notes: (tag) =>
      spawnSync(process.execPath, [file("scripts/release-notes.js"), tag], { cwd: folder, encoding: "utf8" }),
  };
}

for (const heading of ["## Unreleased", "## 7.8.9 - unreleased"]) {
  test(`npm version, where the changelog has ${heading}`, () => {
    const repository = makeRepository(heading);
    const [before, citation] = [repository.read("CHANGELOG.md"), parse(repository.read("CITATION.cff"))];
    repository.version("7.8.9");

    assert.equal(repository.git("status", "--porcelain"), "");
    assert.equal(repository.git("tag", "--points-at", "HEAD").trim(), "v7.8.9");
    const changed = repository.git("diff", "--name-only", "HEAD~1").trim().split("\n");
    assert.deepEqual(changed, ["CHANGELOG.md", "CITATION.cff", "package-lock.json", "package.json"]);

    const { "date-released": date } = parse(repository.read("CITATION.cff"));
    assert.match(date, /^\d{4}-\d\d-\d\d$/);
    assert.ok(Math.abs(Date.parse(date) - Date.now()) < 2 * 24 * 3600 * 1000, date);
    assert.deepEqual(parse(repository.read("CITATION.cff")), { ...citation, version: "7.8.9", "date-released": date });
    assert.equal(repository.read("CHANGELOG.md"), before.replace(heading, `## 7.8.9 - ${date}`));

    const { stdout, status } = repository.notes("v7.8.9");
    const [, section] = before.split(heading);
    assert.deepEqual({ stdout, status }, { stdout: `${section.split("\n## ")[0].trim()}\n`, status: 0 });
  });
}

test("the version after it: the notes are its own, and the citation has one date", () => {
  const repository = makeRepository("## Unreleased");
  repository.version("7.8.9");
  const changelog = repository.read("CHANGELOG.md");
  const added = "## Unreleased\n\n### Fixed\n\n- A thing.\n\n## 7.8.9";
  writeFileSync(join(repository.folder, "CHANGELOG.md"), changelog.replace("## 7.8.9", added));
  repository.git("commit", "--quiet", "--all", "--message=fix");
  repository.version("patch");
  assert.equal(repository.notes("v7.8.10").stdout, "### Fixed\n\n- A thing.\n");
  assert.equal(repository.read("CITATION.cff").match(/^date-released:/gm).length, 1);
});

test("without changes there is no release", () => {
  const repository = makeRepository("## 0.1.0 - 2026-01-31");
  assert.throws(() => repository.version("7.8.9"), /CHANGELOG\.md has nothing to release/);
  assert.equal(repository.git("tag"), "");
  assert.equal(repository.git("status", "--porcelain"), "");
});

const DISAGREEMENTS = {
  "a changelog without the version": {
    path: "CHANGELOG.md",
    from: "## 7.8.9",
    to: "## 7.8.8",
    message: /^CHANGELOG\.md has no section of 7\.8\.9$/m,
  },
  "a version that has no date": {
    path: "CHANGELOG.md",
    from: /^(## 7\.8\.9 - ).*/m,
    to: "$1unreleased",
    message: /^CHANGELOG\.md has 7\.8\.9 - unreleased: run npm version$/m,
  },
  "a citation of another version": {
    path: "CITATION.cff",
    from: "version: 7.8.9",
    to: "version: 7.8.8",
    message: /^CITATION\.cff has version 7\.8\.8 of \d.*, but CHANGELOG\.md has 7\.8\.9 of \d/m,
  },
  "a citation without a date": {
    path: "CITATION.cff",
    from: /^date-released.*\n/m,
    to: "",
    message: /^CITATION\.cff has version 7\.8\.9 without a date, but CHANGELOG\.md has 7\.8\.9 of \d/m,
  },
};
for (const [what, { path, from, to, message }] of Object.entries(DISAGREEMENTS)) {
  test(`the release stops at ${what}`, () => {
    const repository = makeRepository("## Unreleased");
    repository.version("7.8.9");
    writeFileSync(join(repository.folder, path), repository.read(path).replace(from, to));
    const { status, stderr, stdout } = repository.notes("v7.8.9");
    assert.deepEqual([status, stdout], [1, ""]);
    assert.match(stderr, message);
  });
}

test("the release stops at a tag of another version, and at none", () => {
  const repository = makeRepository("## Unreleased");
  repository.version("7.8.9");
  for (const tag of ["v7.9.0", "7.8.9", ""]) {
    const { status, stderr } = repository.notes(tag);
    assert.equal(status, 1);
    assert.equal(stderr, `the tag is "${tag}", but package.json has the version 7.8.9\n`);
  }
});
