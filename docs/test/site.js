// The built site, its pages and its search.

import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const docs = fileURLToPath(new URL("..", import.meta.url));

/** Where `npm run build` puts it. */
export const SITE = join(docs, ".vitepress/dist");

/** Builds the site anew, for another base. @returns its folder */
export function buildFor(base) {
  const folder = join(docs, ".vitepress/dist-for-base");
  execFileSync(join(docs, "node_modules/.bin/vitepress"), ["build", "--outDir", folder], {
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

/** What the search finds, opened on the page `from` of a site at `url`: paths of pages. */
export async function search(browser, url, from, query) {
  const page = await browser.newPage();
  try {
    await page.goto(url + from, { waitUntil: "networkidle" });
    await page.keyboard.press("Control+k");
    await page.locator("#localsearch-input").fill(query);
    const links = page.locator("#localsearch-list a");
    await links.first().waitFor();
    const addresses = await links.evaluateAll((found) => found.map(({ href }) => href));
    return addresses.map((address) => address.slice(url.length).split("#")[0]);
  } finally {
    await page.close();
  }
}
