// Each page of the built site in Chromium: nothing in the console, nothing that fails to load, and no serious finding of
// axe-core in light and dark.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { openPage, openSite, pagesOf, SITE } from "./site.js";

const axe = readFileSync(fileURLToPath(import.meta.resolve("axe-core/axe.min.js")), "utf8");

// The Chinese reference is the English one in a Chinese frame: one page of it is enough.
const pages = pagesOf(SITE).filter((page) => !page.startsWith("zh/reference/") || page.endsWith("/index.html"));

const site = openSite();

/** What axe-core finds that is serious or critical. */
const findFaults = (page, options) =>
  page.evaluate(async (options) => {
    const { violations } = await window.axe.run(document, { ...options, resultTypes: ["violations"] });
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`));
  }, options);

for (const path of pages) {
  test(path, async () => {
    const { page, complaints } = await openPage(site.browser, { reducedMotion: "reduce" });
    try {
      await page.goto(site.url + path, { waitUntil: "networkidle" });
      await page.addStyleTag({ content: "* { transition: none !important }" }); // colours change at once
      await page.evaluate(axe);
      assert.deepEqual(await findFaults(page, {}), [], "light");
      await page.evaluate(() => document.documentElement.classList.add("dark"));
      assert.deepEqual(await findFaults(page, { runOnly: ["color-contrast"] }), [], "dark");
      assert.deepEqual(complaints, []);
    } finally {
      await page.close();
    }
  });
}
