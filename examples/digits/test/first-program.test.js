// The README's first program as it stands there, in a folder with the packed library, onnxruntime-web and the model. It
// draws what the README shows, and the README's picture is what the demo draws.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { decode } from "fast-png";
import { runNpm } from "../../../scripts/programs.js";

const example = fileURLToPath(new URL("..", import.meta.url));
const root = fileURLToPath(new URL("../../..", import.meta.url));
const readme = readFileSync(join(root, "README.md"), "utf8");
const folder = mkdtempSync(join(tmpdir(), "first-program-"));
after(() => rmSync(folder, { recursive: true }));

/** The darknesses that a picture of characters is made of. */
const levelsOf = (picture) =>
  picture
    .split("\n")
    .map((line) => line.trimEnd())
    .filter((line) => line !== "")
    .map((line) => Array.from(line.padEnd(32), (character) => " .:-=+*#%@".indexOf(character)));

test("the first program draws the picture under it", () => {
  const [, code] = /^```js\n\/\/ draw\.mjs\n([^]*?)^```$/m.exec(readme);
  const [, picture] = /^```text\n([^]*?)^```$/m.exec(readme);
  const [{ filename }] = JSON.parse(
    runNpm(["pack", root, "--ignore-scripts", "--json", "--silent"], { cwd: folder, encoding: "utf8" }),
  );
  const library = join(folder, "node_modules/ddim-wasm");
  mkdirSync(library, { recursive: true });
  execFileSync("tar", ["--extract", "--file", filename, "--strip-components=1", "--directory", library], {
    cwd: folder,
  });
  symlinkSync(join(example, "node_modules/onnxruntime-web"), join(dirname(library), "onnxruntime-web"));
  cpSync(join(example, "model/digits-unet.onnx"), join(folder, "digits-unet.onnx"));
  writeFileSync(join(folder, "draw.mjs"), code);

  const drawn = execFileSync(process.execPath, ["draw.mjs"], { cwd: folder, encoding: "utf8" });
  const actual = levelsOf(drawn);
  const expected = levelsOf(picture);
  assert.equal(actual.length, expected.length, drawn);
  // A processor may round a value of the model otherwise, and so to the next character.
  expected.flat().forEach((level, i) => assert.ok(Math.abs(actual.flat()[i] - level) <= 1, drawn));
});

test("the README's picture is what the demo draws", () => {
  const file = join(folder, "digits.png");
  execFileSync(process.execPath, [join(example, "src/index.js"), "--out", file]);
  const actual = decode(readFileSync(file));
  const [, path] = /!\[.*\]\((.*\.png)\)/.exec(readme);
  const expected = decode(readFileSync(join(root, path)));
  assert.deepEqual([actual.width, actual.height], [expected.width, expected.height]);
  expected.data.forEach((pixel, i) => assert.ok(Math.abs(actual.data[i] - pixel) <= 2, `pixel ${i}`));
});
