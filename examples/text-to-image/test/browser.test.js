// The same file in a Web Worker of Chromium, with onnxruntime-web: its pictures are those of Node.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { chromium } from "playwright-core";
import { assertNear, coloursOf, golden, loadModel, modelFolder, optionsOf } from "./model.js";

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const skip = existsSync(executablePath) ? false : `there is no Chromium at ${executablePath}`;
if (skip && process.env.CI) throw new Error(skip);

const TYPES = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
};
const runtime = fileURLToPath(new URL("../node_modules/onnxruntime-web/dist", import.meta.url));

let browser;
let server;
let script;

before(async () => {
  if (skip) return;
  const bundle = await build({
    entryPoints: [fileURLToPath(new URL("browser/worker.js", import.meta.url))],
    bundle: true,
    format: "esm",
    platform: "browser",
    write: false,
  });
  script = bundle.outputFiles[0].contents;
  // The path /isolated has the headers that let a page have threads.
  server = createServer(({ url }, response) => {
    const { pathname } = new URL(url, "http://localhost");
    const body = bodyOf(normalize(pathname));
    if (pathname !== "/plain") {
      response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
      response.setHeader("Cross-Origin-Embedder-Policy", "require-corp");
    }
    response.writeHead(body ? 200 : 404, { "Content-Type": TYPES[extname(pathname) || ".html"] ?? "text/plain" });
    response.end(body);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
});

after(async () => {
  await browser?.close();
  server?.close();
});

function bodyOf(path) {
  if (path === "/isolated" || path === "/plain") return "<!doctype html><title>worker</title>";
  if (path === "/worker.js") return script;
  for (const [start, folder] of [
    ["/model/", modelFolder],
    ["/onnxruntime/", runtime],
  ]) {
    const file = join(folder, path.slice(start.length));
    if (path.startsWith(start) && existsSync(file)) return readFileSync(file);
  }
  return null;
}

const [text] = golden.cases;
const inpainting = golden.cases.find(({ task }) => task === "inpaint");

for (const [page, isolated] of [
  ["plain", false],
  ["isolated", true],
]) {
  test(`in a ${page} page's worker`, { skip }, async () => {
    const context = await browser.newPage();
    await context.goto(`http://127.0.0.1:${server.address().port}/${page}`);
    const model = await loadModel();
    for (const made of [text, inpainting]) {
      const options = optionsOf(made);
      const inBrowser = await context.evaluate(async (options) => {
        globalThis.worker ??= new Worker("/worker.js", { type: "module" });
        return new Promise((resolve, reject) => {
          globalThis.worker.addEventListener("message", ({ data }) => resolve(data), { once: true });
          globalThis.worker.addEventListener("error", ({ message }) => reject(new Error(message)), { once: true });
          // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker has none
          globalThis.worker.postMessage(options);
        });
      }, options);
      assert.equal(inBrowser.error, undefined);
      assert.equal(inBrowser.isolated, isolated);
      const inNode = await model.draw(options);
      assertNear(inBrowser.latents, Array.from(inNode.latents.data), 2e-3);
      assertNear(coloursOf(inBrowser.pictures), coloursOf(inNode.pictures), 2);
      assert.deepEqual(inBrowser.previews, Array(inBrowser.previews.length).fill(16));
    }
    await context.close();
  });
}
