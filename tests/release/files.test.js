// The forms, the citation, the changelog and Dependabot's settings, against the schemas that their readers publish.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { Ajv } from "ajv";
import addFormats from "ajv-formats";
import { parser } from "keep-a-changelog";
import { lockedFolders } from "../../scripts/lock-files.js";
import { read, readYaml, root, yamlFiles } from "./repository.js";

const require = createRequire(import.meta.url);
const ajv = addFormats.default(new Ajv({ strict: false, allErrors: true }));
const schema = (name) => ajv.compile({ ...require(`schemastore/schemas/json/${name}`), $schema: undefined });

/** What a validator says of a value: nothing, if it is right. */
function complaints(validate, value) {
  validate(value);
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

const validateForm = schema("github-issue-forms.json");
const forms = yamlFiles(".github/ISSUE_TEMPLATE").filter((path) => !path.endsWith("/config.yml"));

for (const path of forms) {
  const form = readYaml(path);
  test(`${path} is a form that GitHub takes`, () => {
    assert.deepEqual(complaints(validateForm, form), []);
    // GitHub asks for these beyond the schema.
    const ids = form.body.flatMap(({ id }) => (id === undefined ? [] : [id]));
    assert.equal(new Set(ids).size, ids.length, "an id stands twice");
    const labels = form.body.flatMap(({ attributes }) => attributes.label ?? []);
    assert.equal(new Set(labels).size, labels.length, "a label stands twice");
    assert.ok(form.body.some(({ type }) => type !== "markdown"));
  });
}

test("a form without a label is found out", () => {
  assert.equal(forms.length, 3);
  const form = readYaml(forms[0]);
  delete form.body.at(-1).attributes.label;
  assert.notDeepEqual(complaints(validateForm, form), []);
});

test("the list of forms is one that GitHub takes", () => {
  const config = readYaml(".github/ISSUE_TEMPLATE/config.yml");
  assert.deepEqual(complaints(schema("github-issue-config.json"), config), []);
});

test("links from the forms and SECURITY.md to files of the repository lead somewhere", () => {
  const { homepage } = JSON.parse(read("package.json"));
  const repository = homepage.replace("#readme", "");
  const texts = [...forms, ".github/ISSUE_TEMPLATE/config.yml", "SECURITY.md"].map((path) => [path, read(path)]);
  const links = texts.flatMap(([path, text]) =>
    Array.from(text.matchAll(/https:\/\/github\.com\/[^\s)]*/g), ([link]) => ({ path, link })),
  );
  assert.ok(links.length >= 5, `${links.length} links`);
  for (const { path, link } of links) {
    assert.ok(link.startsWith(repository), `${path}: ${link}`);
    const [, file] = /^\/blob\/main\/(.*)$/.exec(link.slice(repository.length)) ?? [];
    assert.ok(file === undefined || existsSync(join(root, file)), `${path}: there is no ${file}`);
  }
});

test("CITATION.cff is valid, and tells what package.json tells", () => {
  const citation = readYaml("CITATION.cff");
  const { version, license, repository } = JSON.parse(read("package.json"));
  assert.deepEqual(complaints(schema("citation-file-format.github.io/1.2.0/schema.json"), citation), []);
  assert.equal(citation.version, version);
  assert.equal(citation.license, license);
  assert.equal(`git+${citation["repository-code"]}.git`, repository.url);
});

test("CHANGELOG.md has the form of Keep a Changelog", () => {
  const text = read("CHANGELOG.md");
  const { releases } = parser(text);
  assert.equal(releases.length, text.match(/^## /gm).length);
  const kinds = ["added", "changed", "deprecated", "removed", "fixed", "security"];
  for (const { version, changes } of releases) {
    for (const kind of changes.keys()) assert.ok(kinds.includes(kind), `${version}: "${kind}"`);
  }
  const [first, ...others] = releases;
  for (const { version, date } of others) assert.ok(version && date, `${version ?? "unreleased"} is not the first`);
  const { version } = JSON.parse(read("package.json"));
  if (first.version !== undefined) assert.equal(first.version, version);
});

test("dependabot.yml is valid, and names every folder with a lock file", () => {
  const settings = readYaml(".github/dependabot.yml");
  // The schema that schemastore has is older than "groups", "directories" and "cooldown".
  assert.deepEqual(complaints(ajv.compile(require("./dependabot-schema.json")), settings), []);
  const npm = settings.updates.filter((update) => update["package-ecosystem"] === "npm");
  const folders = npm.flatMap(({ directory, directories }) => directories ?? [directory]);
  assert.deepEqual(
    folders.toSorted(),
    lockedFolders()
      .map((folder) => `/${folder}`)
      .toSorted(),
  );
});
