// The search finds words of both languages, under "/" and under another base.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { serve } from "./server.js";
import { openBrowser, SITE } from "./site.js";

let server;
let browser;
before(async () => {
  server = await serve(SITE);
  browser = await openBrowser();
});
after(async () => {
  await browser.close();
  await server.close();
});

/** Each: where the search is opened, what is typed, and a page that has to be among what it finds. */
const SEARCHES = [
  ["", "inpainting", "images.html"],
  ["", "allocate", "reference/functions/allocate.html"],
  ["zh/", "反演", "zh/images.html"],
  ["zh/", "采样器", "zh/choosing.html"],
  ["zh/", "噪声调度", "zh/config.html"],
  ["zh/", "allocate", "zh/reference/functions/allocate.html"],
];

for (const [from, query, expected] of SEARCHES) {
  test(`"${query}" from /${from}`, async () => {
    const page = await browser.newPage();
    try {
      await page.goto(server.url + from, { waitUntil: "networkidle" });
      await page.keyboard.press("Control+k");
      await page.locator("#localsearch-input").fill(query);
      await page.locator("#localsearch-list a").first().waitFor();
      const found = await page.locator("#localsearch-list a").evaluateAll((links) => links.map(({ href }) => href));
      const paths = found.map((href) => href.slice(server.url.length).split("#")[0]);
      assert.ok(paths.includes(expected), paths.join("\n"));
    } finally {
      await page.close();
    }
  });
}
