// The site works under another path than "/", as GitHub Pages serves it: links, images, search.

import assert from "node:assert/strict";
import { test } from "node:test";
import { findDeadLinks } from "./dead-links.js";
import { buildFor, openPage, openSite, search } from "./site.js";

const BASE = "/ddim-wasm/";

let folder;
const site = openSite(() => (folder = buildFor(BASE)), BASE);

test("no dead link", () => {
  assert.deepEqual(findDeadLinks(folder, BASE).dead, []);
});

for (const path of ["", "choosing.html", "zh/"]) {
  test(`/${path} and its images load`, async () => {
    const { page, complaints } = await openPage(site.browser);
    await page.goto(site.url + path, { waitUntil: "networkidle" });
    const widths = await page.locator("img").evaluateAll((images) => images.map(({ naturalWidth }) => naturalWidth));
    assert.ok(widths.length > 0 && widths.every((width) => width > 0), widths.join());
    assert.deepEqual(complaints, []);
    await page.close();
  });
}

test("the search finds words of both languages", async () => {
  assert.ok((await search(site.browser, site.url, "", "inpainting")).includes("images.html"));
  assert.ok((await search(site.browser, site.url, "zh/", "反演")).includes("zh/images.html"));
});
