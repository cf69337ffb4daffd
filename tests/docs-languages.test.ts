// README.md and docs/ are kept in step with their Chinese twins, README.zh-CN.md and docs/zh/: the same pages, headings,
// code, tables, links, and numbers in the prose.

import { readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";

const root = new URL("../../", import.meta.url);
const list = (folder: string): string[] => readdirSync(new URL(folder, root)).filter((name) => name.endsWith(".md"));
const english = list("docs/");

test("docs/zh/ has the pages of docs/", () => {
  assert.equal(list("docs/zh/"), english);
});

interface Section {
  /** "##" of a heading, or "" for what stands above the first. */
  level: string;
  text: string;
}

interface Page {
  path: string;
  frontMatter: string;
  code: string[];
  /** Without their code blocks. */
  sections: Section[];
}

function readPage(path: string): Page {
  const text = readFileSync(new URL(path, root), "utf8");
  const [frontMatter = ""] = /^---\n[^]*?\n---\n/.exec(text) ?? [];
  const fence = /^```[^]*?^```$/gm;
  const body = text.slice(frontMatter.length).replaceAll(fence, "");
  const sections = body.split(/^(?=#+ )/m).map((part) => ({ level: /^#+|/.exec(part)![0], text: part }));
  return { path, frontMatter, code: text.match(fence) ?? [], sections };
}

const CODE_SPAN = /`[^`]+`/g;
const LINK = /\]\(([^)\s]+)\)/g;
const withoutLinks = (text: string): string => text.replaceAll(LINK, "]");

function inOrder(words: Iterable<string>): string[] {
  const copy = [...words];
  copy.sort();
  return copy;
}

const numbersIn = (text: string): string[] => {
  const prose = withoutLinks(text).replaceAll(CODE_SPAN, "");
  return inOrder(prose.match(/\d+(?:[.,]\d+)*/g) ?? []);
};

const codeIn = (text: string): string[] => inOrder(text.match(CODE_SPAN) ?? []);

/** How many cells each row of a section's tables has. */
const tablesIn = (text: string): number[] =>
  (text.match(/^\|.*\|$/gm) ?? []).map((row) => row.replaceAll(CODE_SPAN, "").split(/(?<!\\)\|/).length);

const slugOf = ({ text }: Section): string =>
  /^#+ (.*)/
    .exec(text)![1]!
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .replaceAll(" ", "-");

/** Where a link leads, in the words of the English pages: their paths, and a heading as its number. */
function targetOf(link: string, from: string): string {
  if (/^https?:/.test(link)) return link;
  const [path, anchor] = link.split("#");
  const target = path === "" ? from : posix.join(posix.dirname(from), path!);
  const isPage = target === "README.zh-CN.md" || target.startsWith("docs/");
  const heading =
    anchor &&
    readPage(target).sections.findIndex(({ level, text }) => level && slugOf({ level, text }) === decodeURI(anchor));
  const twin = isPage ? target.replace("README.zh-CN.md", "README.md").replace("docs/zh/", "docs/") : target;
  return anchor ? `${twin} heading ${heading}` : twin;
}

function linksIn(text: string, from: string): string[] {
  const links = [...text.matchAll(LINK)].map(([, link]) => targetOf(link!, from));
  const includes = [...text.matchAll(/@include: (\S+)/g)].map(([, file]) => posix.join(posix.dirname(from), file!));
  return inOrder([...links, ...includes.map((path) => path.replace(".zh-CN", ""))]);
}

const twins = [["README.md", "README.zh-CN.md"], ...english.map((name) => [`docs/${name}`, `docs/zh/${name}`])];
for (const [path, twin] of twins) {
  const ours = readPage(path!);
  const theirs = readPage(twin!);

  test(`${twin}: the headings and the code of ${path}`, () => {
    const levels = ({ sections }: Page): string[] => sections.map(({ level }) => level);
    assert.equal(levels(theirs), levels(ours));
    assert.equal(theirs.code, ours.code);
  });

  test(`${twin}: the tables, numbers, code spans and links of each section`, () => {
    for (const [i, { text }] of ours.sections.entries()) {
      const chinese = theirs.sections[i]!.text;
      const name = `section ${i}, "${text.split("\n")[0]}"`;
      assert.equal(tablesIn(chinese), tablesIn(text), name);
      assert.equal(numbersIn(chinese), numbersIn(text), name);
      assert.equal(codeIn(chinese), codeIn(text), name);
      assert.equal(linksIn(chinese, twin!), linksIn(text, path!), name);
    }
  });

  test(`${twin}: the front matter of ${path}`, () => {
    const keysIn = (text: string): string[] => text.match(/^[\s-]*\w+:/gm) ?? [];
    const pagesIn = (text: string): string[] =>
      [...text.matchAll(/link: \/?(?:zh\/)?([\w/]*)/g)].map(([, page]) => page!);
    assert.equal(keysIn(theirs.frontMatter), keysIn(ours.frontMatter));
    assert.equal(pagesIn(theirs.frontMatter), pagesIn(ours.frontMatter));
    assert.equal(numbersIn(theirs.frontMatter), numbersIn(ours.frontMatter));
  });

  test(`${twin}: its prose is Chinese`, () => {
    for (const { text } of theirs.sections) {
      for (const line of withoutLinks(text).replaceAll(CODE_SPAN, "").split("\n")) {
        const isProse = /(\p{L}+ ){6}/u.test(line) && !/^(\||<!--)/.test(line);
        assert.ok(!isProse || /\p{Script=Han}/u.test(line), line);
      }
    }
  });
}

test.run();
