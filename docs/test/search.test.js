// The search finds words of both languages.

import assert from "node:assert/strict";
import { test } from "node:test";
import { openSite, search } from "./site.js";

const site = openSite();

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
    const found = await search(site.browser, site.url, from, query);
    assert.ok(found.includes(expected), found.join("\n"));
  });
}
