// Links that leave docs/, as pages have them for GitHub's sake.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "node-html-parser";
import { SITE } from "./site.js";

const REPOSITORY = "https://github.com/ddim-wasm/ddim-wasm";

/** Each: a page, and links that it has to have. */
const LINKS = {
  "start.html": [`${REPOSITORY}/blob/main/README.md#install`, `${REPOSITORY}/tree/main/examples/text-to-image`],
  "zh/start.html": [`${REPOSITORY}/tree/main/examples/text-to-image`],
  "accuracy.html": [`${REPOSITORY}/blob/main/tests/diffusers.test.ts`],
  "tensors.html": ["/reference/"],
  "zh/tensors.html": ["/zh/reference/"],
};

for (const [page, expected] of Object.entries(LINKS)) {
  test(page, () => {
    const links = parse(readFileSync(join(SITE, page), "utf8")).querySelectorAll(".vp-doc a");
    const addresses = links.map((link) => link.getAttribute("href"));
    for (const address of expected) assert.ok(addresses.includes(address), `${address} in ${addresses.join("\n")}`);
  });
}
