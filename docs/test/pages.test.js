// Each page of the built site in Chromium: nothing in the console, nothing that fails to load, and no serious finding of
// axe-core in light and dark.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { launchChromium } from "./browsers.js";
import { serve } from "./server.js";
import { pagesOf, SITE } from "./site.js";

const axe = readFileSync(fileURLToPath(import.meta.resolve("axe-core/axe.min.js")), "utf8");

// The Chinese reference is the English one in a Chinese frame: one page of it is enough.
const pages = pagesOf(SITE).filter((page) => !page.startsWith("zh/reference/") || page.endsWith("/index.html"));

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
    const page = await browser.newPage({ reducedMotion: "reduce" });
    try {
      const complaints = [];
      page.on("console", (message) => complaints.push(message.text()));
      page.on("pageerror", ({ message }) => complaints.push(message));
      page.on("response", (response) => {
        // A page that is not found is what 404.html is for.
        if (response.status() >= 400) complaints.push(`${response.status()} ${response.url()}`);
      });
      await page.goto(server.url + path, { waitUntil: "networkidle" });
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
