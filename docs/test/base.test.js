// The site works under another path than "/", as GitHub Pages serves it: links, images, search.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { findDeadLinks } from "./dead-links.js";
import { launchChromium } from "./browsers.js";
import { serve } from "./server.js";
import { buildFor, search } from "./site.js";

const BASE = "/ddim-wasm/";

let folder;
let server;
let browser;
before(async () => {
  folder = buildFor(BASE);
  server = await serve(folder, BASE);
  browser = await launchChromium();
});
after(async () => {
  await browser.close();
  await server.close();
});

test("no dead link", () => {
  assert.deepEqual(findDeadLinks(folder, BASE).dead, []);
});

for (const path of ["", "choosing.html", "zh/"]) {
  test(`/${path} and its images load`, async () => {
    const page = await browser.newPage();
    const complaints = [];
    page.on("console", (message) => complaints.push(message.text()));
    page.on("response", (response) => {
      if (response.status() >= 400) complaints.push(`${response.status()} ${response.url()}`);
    });
    await page.goto(server.url + path, { waitUntil: "networkidle" });
    const widths = await page.locator("img").evaluateAll((images) => images.map(({ naturalWidth }) => naturalWidth));
    assert.ok(widths.length > 0 && widths.every((width) => width > 0), widths.join());
    assert.deepEqual(complaints, []);
    await page.close();
  });
}

test("the search finds words of both languages", async () => {
  assert.ok((await search(browser, server.url, "", "inpainting")).includes("images.html"));
  assert.ok((await search(browser, server.url, "zh/", "反演")).includes("zh/images.html"));
});
