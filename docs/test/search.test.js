// The search finds words of both languages.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launchChromium } from "./browsers.js";
import { serve } from "./server.js";
import { search, SITE } from "./site.js";

let server;
let browser;
before(async () => {
  server = await serve(SITE);
  browser = await launchChromium();
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
  ["zh/", "载荷", "zh/accuracy.html"], // in the middle of a sentence,
  ["zh/", "allocate", "zh/reference/functions/allocate.html"],
];

for (const [from, query, expected] of SEARCHES) {
  test(`"${query}" from /${from}`, async () => {
    const found = await search(browser, server.url, from, query);
    assert.ok(found.includes(expected), found.join("\n"));
  });
}
