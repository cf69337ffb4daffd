// CHANGELOG.md and CITATION.cff as a release takes them. A version's section begins with "## 1.2.3 - 2026-01-31"; what
// is not released yet is under "## Unreleased" or "## 1.2.3 - unreleased".

import { readFileSync, writeFileSync } from "node:fs";

const root = new URL("../", import.meta.url);
const read = (name) => readFileSync(new URL(name, root), "utf8");
const write = (name, text) => writeFileSync(new URL(name, root), text);

const UNRELEASED = /^## (?:.+ - )?unreleased$/im;
const VERSION = /^version: (.*)$/m;
const DATE = /^date-released: "(.*)"\n/m;

/** Whether the changelog has a section of what is not released. */
export function hasUnreleased() {
  return UNRELEASED.test(read("CHANGELOG.md"));
}

/** Turns that section into the one of a version, and writes version and date into CITATION.cff. */
export function release(version, date) {
  write("CHANGELOG.md", read("CHANGELOG.md").replace(UNRELEASED, `## ${version} - ${date}`));
  const citation = read("CITATION.cff").replace(DATE, "");
  write("CITATION.cff", citation.replace(VERSION, `version: ${version}\ndate-released: "${date}"`));
}

/** A version's date and text in CHANGELOG.md. */
function section(version) {
  for (const text of read("CHANGELOG.md").split(/^## /m)) {
    const [heading] = text.split("\n", 1);
    const [name, date] = heading.split(" - ");
    if (name === version) return { date, notes: text.slice(heading.length).trim() };
  }
  throw new Error(`CHANGELOG.md has no section of ${version}`);
}

/** The version that CITATION.cff has, and its date. */
function cited() {
  const citation = read("CITATION.cff");
  const [version, date] = [VERSION, DATE].map((line) => line.exec(citation)?.[1]);
  return `${version} ${date === undefined ? "without a date" : `of ${date}`}`;
}

/**
 * The release notes of a tag: the version's section of CHANGELOG.md.
 *
 * @throws when the tag is not that of package.json's version, or a file tells another version or date
 */
export function notesOf(tag) {
  const { version } = JSON.parse(read("package.json"));
  if (tag !== `v${version}`) throw new Error(`the tag is "${tag}", but package.json has the version ${version}`);
  const { date, notes } = section(version);
  if (!/^\d{4}-\d\d-\d\d$/.test(date)) throw new Error(`CHANGELOG.md has ${version} - ${date}: run npm version`);
  const released = `${version} of ${date}`;
  if (cited() !== released) throw new Error(`CITATION.cff has version ${cited()}, but CHANGELOG.md has ${released}`);
  return notes;
}
