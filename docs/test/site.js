// The built site, its pages and its search.

import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before } from "node:test";
import { fileURLToPath } from "node:url";
import { launchChromium, PATIENCE } from "./browsers.js";
import { serve } from "./server.js";

const docs = fileURLToPath(new URL("..", import.meta.url));

/** Where `npm run build` puts it. */
export const SITE = join(docs, ".vitepress/dist");

/**
 * Serves the site, and opens Chromium, for the tests of a file.
 *
 * @param {() => string} [build] makes the folder that is served
 * @param {string} [base] the path it is served under
 * @returns {{ url: string, browser: import("playwright-core").Browser }} filled in before the first test
 */
export function openSite(build = () => SITE, base = "/") {
  const opened = {};
  let server;
  before(async () => {
    server = await serve(build(), base);
    opened.url = server.url;
    opened.browser = await launchChromium();
  });
  after(async () => {
    await opened.browser?.close();
    await server?.close();
  });
  return opened;
}

/**
 * Builds the site anew, for another base.
 *
 * @param {string} base
 * @param {string} [folder] where to; tests of several files run at the same time
 * @returns {string} its folder
 */
export function buildFor(base, folder = join(docs, ".vitepress/dist-for-base")) {
  const vitepress = join(docs, "node_modules/vitepress/bin/vitepress.js");
  execFileSync(process.execPath, [vitepress, "build", "--outDir", folder], {
    cwd: docs,
    env: { ...process.env, DOCS_BASE: base },
    stdio: ["ignore", "ignore", "inherit"],
  });
  return folder;
}

/** The paths of a site's pages, such as "zh/start.html". */
export const pagesOf = (folder) =>
  readdirSync(folder, { recursive: true })
    .map((name) => name.replaceAll("\\", "/"))
    .filter((name) => name.endsWith(".html"))
    .toSorted();

/** A new page, and what goes wrong on it: all that its console says, and what does not load. */
export async function openPage(browser, options) {
  const page = await browser.newPage(options);
  page.setDefaultTimeout(PATIENCE);
  const complaints = [];
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", ({ message }) => complaints.push(message));
  page.on("response", (response) => {
    if (response.status() >= 400) complaints.push(`${response.status()} ${response.url()}`);
  });
  return { page, complaints };
}

/** What the search finds, opened on the page `from` of a site at `url`: paths of pages. */
export async function search(browser, url, from, query) {
  const { page } = await openPage(browser);
  try {
    await page.goto(url + from, { waitUntil: "networkidle" });
    const input = page.locator("#localsearch-input");
    // A key that is pressed before the page listens is lost.
    for (let i = 0; i < 100 && !(await input.isVisible()); i++) {
      await page.keyboard.press("Control+k");
      await page.waitForTimeout(100);
    }
    await input.fill(query);
    const links = page.locator("#localsearch-list a");
    await links.first().waitFor();
    const addresses = await links.evaluateAll((found) => found.map(({ href }) => href));
    return addresses.map((address) => address.slice(url.length).split("#")[0]);
  } finally {
    await page.close();
  }
}
