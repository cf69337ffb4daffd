// Chromium, Firefox and WebKit, on the page and in a worker, from plain modules and from bundles, under a content security
// policy that allows no more than is needed.

import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { chromium } from "playwright-core";
import { launch as launchFirefox } from "puppeteer-core";
import { build, createServer as createViteServer } from "vite";
import { bundle } from "./bundle.js";
import { CHROMIUM, CHROMIUM_ARGS } from "./chromium.js";
import { webkit } from "./webkit.js";

export const WASM = "script-src 'self' 'wasm-unsafe-eval'";
const NO_WASM = "script-src 'self'";
/** Vite's development server puts scripts of its own into the page. */
const VITE_DEV = "script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'";

/** Each page: what it is, its script, and its policy. The sampling ones are as users write them. */
const PAGES = [
  ["page", "page.js", WASM],
  ["page, portable", "page-portable.js", NO_WASM],
  ["Web Worker", "page-worker.js", WASM],
  ["bundled by esbuild", "bundled.esbuild.js", WASM],
  ["bundled by Vite", "bundled.vite.js", WASM],
  ["Vite's server", "bundled.js", VITE_DEV],
  ["sampling on the page", "sampling-page.js", VITE_DEV],
  ["sampling in a Web Worker", "sampling-in-worker.js", VITE_DEV],
];

export const BROWSERS = [
  {
    name: "Chromium",
    file: CHROMIUM,
    async open() {
      const browser = await chromium.launch({ executablePath: this.file, args: CHROMIUM_ARGS });
      const page = await browser.newPage();
      return { browser, page, version: browser.version() };
    },
  },
  {
    name: "Firefox",
    file: "/usr/bin/firefox-esr",
    async open() {
      const browser = await launchFirefox({ browser: "firefox", executablePath: this.file, headless: true });
      const page = await browser.newPage();
      return { browser, page, version: /[\d.]+/.exec(await browser.version())[0] };
    },
  },
  webkit,
];

/** @param {string} folder where the package is installed */
export function browserEngines(folder) {
  return BROWSERS.flatMap((browser) =>
    PAGES.map(([name, script, policy]) => ({
      name: `${browser.name}: ${name}`,
      run: async () => {
        if (!existsSync(browser.file)) return { version: "", skipped: `no ${browser.file}` };
        await makeBundles(folder);
        return visit(browser, folder, script, policy);
      },
    })),
  );
}

let bundles;

/** Makes the bundles, once. */
function makeBundles(folder) {
  return (bundles ??= (async () => {
    await writeFile(join(folder, "bundled.esbuild.js"), await bundle(folder, "bundled.js", {}));
    const { output } = await build({
      root: folder,
      configFile: false,
      logLevel: "error",
      build: { write: false, target: "es2022", rollupOptions: { input: join(folder, "bundled.js") } },
    });
    await writeFile(join(folder, "bundled.vite.js"), output[0].code);
  })());
}

/**
 * Opens a page that runs the script, and waits for the answer in its title.
 * @param {boolean} isolated whether the page is isolated from other origins, which makes its clocks precise
 */
export async function visit(browser, folder, script, policy, isolated = false) {
  const { server, port } = await serve(folder, script, policy, isolated);
  const opened = await browser.open();
  try {
    const errors = [];
    opened.page.on("pageerror", (error) => errors.push(error.message));
    opened.page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
    await opened.page.goto(`http://localhost:${port}/page.html`);
    for (let attempt = 0; attempt < 100 && errors.length === 0; attempt++) {
      const title = await opened.page.title();
      if (title !== "") return { version: opened.version, answer: title };
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(errors.join("; ") || "no answer within ten seconds");
  } finally {
    await opened.browser.close();
    await new Promise((resolve) => server.close(resolve));
  }
}

const TYPES = { ".js": "text/javascript", ".html": "text/html", ".wasm": "application/wasm" };

async function serve(folder, script, policy, isolated) {
  const html = `<!doctype html><title></title><link rel="icon" href="data:,"><script type="module" src="/${script}"></script>`;
  const vite =
    policy === VITE_DEV
      ? await createViteServer({
          root: folder,
          configFile: false,
          logLevel: "error",
          appType: "custom",
          server: { middlewareMode: true, hmr: false },
        })
      : null;
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    response.setHeader("content-security-policy", policy);
    if (isolated) {
      response.setHeader("cross-origin-opener-policy", "same-origin");
      response.setHeader("cross-origin-embedder-policy", "require-corp");
    }
    if (pathname === "/page.html") return response.setHeader("content-type", "text/html").end(html);
    if (vite) return vite.middlewares(request, response, () => response.writeHead(404).end());
    try {
      const content = await readFile(join(folder, pathname));
      response.setHeader("content-type", TYPES[extname(pathname)] ?? "text/plain").end(content);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, "localhost", resolve));
  server.on("close", () => vite?.close());
  return { server, port: server.address().port };
}
