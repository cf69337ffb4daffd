// Serves what a bundler has built, and opens it in Chromium.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { chromium } from "playwright-core";
import { Impossible } from "./tools.js";

const CHROMIUM = "/usr/bin/chromium";
const ARGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"];
const TYPES = { ".js": "text/javascript", ".html": "text/html", ".css": "text/css", ".wasm": "application/wasm" };

let browser;

export async function closeBrowser() {
  await browser?.close();
}

/** Opens a page, and gives its title once the programme has set it to its results. */
export async function openUrl(url) {
  if (!existsSync(CHROMIUM)) throw new Impossible(`there is no ${CHROMIUM}`);
  browser ??= await chromium.launch({ executablePath: CHROMIUM, args: ARGS });
  const page = await browser.newPage();
  const errors = [];
  page.on("pageerror", ({ message }) => errors.push(message));
  try {
    await page.goto(url);
    await page.waitForFunction(() => document.title.startsWith("result"), undefined, { timeout: 10_000 });
    return await page.title();
  } catch (error) {
    throw new Error(errors.join("; ") || error.message, { cause: error });
  } finally {
    await page.close();
  }
}

/** Opens a page of a folder. */
export async function openPage(folder, path = "/index.html") {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    try {
      const content = await readFile(join(folder, pathname));
      response.setHeader("content-type", TYPES[extname(pathname)] ?? "text/plain").end(content);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, "localhost", resolve));
  try {
    return await openUrl(`http://localhost:${server.address().port}${path}`);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

/** The bytes of a folder's largest script, after gzip. */
export function largestScript(folder) {
  const scripts = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".js"));
  return Math.max(...scripts.map((name) => gzipSync(readFileSync(join(folder, name)), { level: 9 }).length));
}
