// The build and the package are the same bytes wherever and whenever they are made: in two folders whose paths differ in
// length, one with a space in it, each with packages of its own. It takes two whole builds.

import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { runNpm } from "../../scripts/programs.js";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const temporary = mkdtempSync(join(tmpdir(), "ddim-wasm-"));
test.after(() => rmSync(temporary, { recursive: true }));

/** What neither the build nor the package takes. */
const LEFT_OUT = [".git", "bench", "build", "docs", "examples", "tests"];

interface Made {
  /** The path of each file in build/, and its bytes. */
  files: Map<string, Buffer>;
  tarball: { filename: string; integrity: string; files: { path: string }[] };
}

/** Builds and packs a copy of the repository. */
function make(name: string): Made {
  const folder = join(temporary, name);
  mkdirSync(folder, { recursive: true });
  for (const entry of readdirSync(root).filter((entry) => !LEFT_OUT.includes(entry))) {
    cpSync(join(root, entry), join(folder, entry), { recursive: true, verbatimSymlinks: true });
  }
  execFileSync(process.execPath, [join(folder, "scripts/build.js")], { cwd: folder, stdio: "inherit" });
  const entries = readdirSync(join(folder, "build"), { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => [path.slice(folder.length + 1), readFileSync(path)] as const);
  const options = ["--ignore-scripts", "--json", "--silent"];
  const [tarball] = JSON.parse(runNpm(["pack", ...options], { cwd: folder, encoding: "utf8" }));
  return { files: new Map(files), tarball };
}

test("two builds, and two packages, are equal byte for byte", () => {
  const first = make("a");
  const second = make("a folder/whose path is longer by far");
  assert.ok(first.files.size > 20, `${first.files.size} files`);
  assert.equal(new Set(first.files.keys()), new Set(second.files.keys()));
  const different = [...first.files].filter(([path, bytes]) => !bytes.equals(second.files.get(path)!));
  assert.equal(
    different.map(([path]) => path),
    [],
  );
  assert.ok(first.tarball.files.some(({ path }) => path === "build/index.js"));
  assert.is(first.tarball.integrity, second.tarball.integrity);
});

test.run();
