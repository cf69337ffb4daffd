// Every JavaScript example of the README runs as it stands there, beside a model. Those that begin with a file's name are
// for one runtime: tests/runtimes runs them there.

import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { test } from "uvu";
import * as assert from "uvu/assert";

const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
const examples = [...readme.matchAll(/(?:^#+ (?<title>.*)$)|(?:^```js\n(?<code>[^]*?)^```$)/gm)];

// What the examples take as given: a model. What they print is kept.
const model = `
async function unet(sample, t, condition) {
  return { data: sample.data.map((value) => value * 0.9), dims: sample.dims };
}
const printed = [];
const console = { log: (...values) => printed.push(values.join(" ")) };
`;

const folder = new URL("./readme/", import.meta.url);
mkdirSync(folder, { recursive: true });

let title = "";
let count = 0;
for (const { groups } of examples) {
  if (groups?.["title"]) title = groups["title"];
  const code = groups?.["code"];
  if (!code || /^\/\/ \S+\.js\n/.test(code)) continue;
  const file = new URL(`${++count}.mjs`, folder);
  test(`README: ${title} (${count})`, () => {
    writeFileSync(file, `${model}${code}\nprocess.stdout.write(JSON.stringify(printed));\n`);
    // A process each: an example may load the module in its own way.
    const printed = JSON.parse(execFileSync(process.execPath, [fileURLToPath(file)], { encoding: "utf8" }));
    for (const [, expected] of code.matchAll(/console\.log\(.*\); \/\/ ([^:\n]*)/g))
      assert.is(printed.shift(), expected);
  });
}

test("README: there are examples", () => {
  assert.ok(count >= 10, `${count} examples`);
});

test.run();
