// The API reference has a page for every export, in both languages, and cannot be built while something public has no doc
// comment.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { pagesOf, SITE } from "./site.js";

const docs = fileURLToPath(new URL("..", import.meta.url));

test("every export has a page", () => {
  const source = readFileSync(join(docs, "../index.ts"), "utf8");
  const lists = [...source.matchAll(/^export (?:type )?\{([^}]*)\}/gm)].map(([, list]) => list);
  const names = lists.flatMap((list) => list.match(/\w+(?=\s*(?:,|$))/g)).toSorted();
  assert.ok(names.length > 60, names.join());
  for (const folder of ["reference/", "zh/reference/"]) {
    const pages = pagesOf(SITE).filter((page) => page.startsWith(folder) && page !== `${folder}index.html`);
    assert.deepEqual(pages.map((page) => basename(page, ".html")).toSorted(), names);
  }
});

/** Each has a name that no doc comment explains. */
const FLAWED = `
export function undocumentedFunction(): void {}
/** A class. */
export class Documented {
  undocumentedMethod(): void {}
}
/** Options. */
export interface Options {
  undocumentedOption?: number;
}
interface NotExported {}
/** A type. */
export type List = NotExported[];
/** See {@link missingTarget}. */
export const one = 1;
`;

test("TypeDoc ends with an error for each flaw", () => {
  const folder = mkdtempSync(join(tmpdir(), "reference-"));
  try {
    const options = JSON.parse(readFileSync(join(docs, "typedoc.json"), "utf8"));
    const own = { entryPoints: ["index.ts"], tsconfig: "tsconfig.json" };
    writeFileSync(join(folder, "typedoc.json"), JSON.stringify({ ...options, ...own }));
    writeFileSync(join(folder, "tsconfig.json"), '{ "compilerOptions": { "types": [] }, "files": ["index.ts"] }');
    writeFileSync(join(folder, "package.json"), '{ "name": "flawed" }');
    writeFileSync(join(folder, "index.ts"), FLAWED);
    const typedoc = join(docs, "node_modules/.bin/typedoc");
    const { status, stderr, stdout } = spawnSync(typedoc, { cwd: folder, encoding: "utf8" });
    assert.notEqual(status, 0);
    for (const name of FLAWED.match(/undocumented\w+|NotExported|missingTarget/g)) {
      assert.ok((stdout + stderr).includes(name), `${name}: ${stdout}${stderr}`);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
