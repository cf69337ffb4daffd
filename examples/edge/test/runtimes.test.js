// The same requests in Deno and in Vercel's Edge Runtime: the same bytes.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { basename, dirname, join } from "node:path";
import { after, test } from "node:test";
import { EdgeRuntime } from "edge-runtime";
import { build } from "esbuild";
import { bundle } from "../scripts/bundle.js";
import { PICTURES, referenceOf } from "./reference.js";
import { folder } from "./workerd.js";

const deno = join(folder, "node_modules/@deno/linux-x64-glibc/deno");
const skip = existsSync(deno) ? false : `there is no ${deno}`;
if (skip && process.env.CI) throw new Error(skip);

/** Deno with the right to one port of this machine, and no other: none to read, either. */
async function startDeno() {
  const port = await freePort();
  const args = ["run", "--quiet", "--no-prompt", "--no-remote", `--allow-net=0.0.0.0:${port}`];
  const env = { ...process.env, NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1", DENO_DIR: join(folder, "build/deno-cache") };
  const server = spawn(deno, [...args, await bundle("deno"), String(port)], { env, stdio: "inherit" });
  after(() => server.kill());
  const url = `http://127.0.0.1:${port}`;
  while (!(await fetch(url).then(Boolean, () => false))) {
    assert.equal(server.exitCode, null);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return (path, init) => fetch(url + path, init);
}

async function freePort() {
  const server = createServer().listen(0);
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** The Edge Runtime, which compiles no text and no bytes: modules come from outside, models from a server of files. */
async function startEdgeRuntime() {
  const file = await bundle("vercel");
  const modules = {};
  const { outputFiles } = await build({
    entryPoints: [file],
    bundle: true,
    write: false,
    format: "iife",
    globalName: "edgeFunction",
    plugins: [compiledOutside(modules)],
    footer: { js: "addEventListener('fetch', (event) => event.respondWith(edgeFunction.default(event.request)));" },
    logLevel: "error",
  });
  const files = createServer(({ url }, response) => {
    const path = join(dirname(file), "static", url);
    response.writeHead(existsSync(path) ? 200 : 404).end(existsSync(path) ? readFileSync(path) : "");
  }).listen(0, "127.0.0.1");
  await once(files, "listening");
  after(() => files.close());
  const edge = new EdgeRuntime({
    codeGeneration: { strings: false, wasm: false },
    extend: (context) => Object.assign(context, { modules }),
    initialCode: outputFiles[0].text,
  });
  const compiled = await edge.evaluate("WebAssembly.compile(new Uint8Array(8)).then(() => true, () => false)");
  assert.equal(compiled, false);
  return (path, init) => edge.dispatchFetch(`http://127.0.0.1:${files.address().port}${path}`, init);
}

function compiledOutside(modules) {
  return {
    name: "compiled-outside",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /\.wasm\?module$/ }, ({ path, resolveDir }) => ({
        path: join(resolveDir, path.replace("?module", "")),
        namespace: "compiled-outside",
      }));
      onLoad({ filter: /./, namespace: "compiled-outside" }, ({ path }) => {
        modules[basename(path)] = new WebAssembly.Module(readFileSync(path));
        return { contents: `export default modules[${JSON.stringify(basename(path))}];` };
      });
    },
  };
}

for (const [name, start, skipped] of [
  ["Deno, with no permission but the net", startDeno, skip],
  ["the Edge Runtime", startEdgeRuntime, false],
]) {
  test(name, { skip: skipped }, async (t) => {
    const ask = await start();
    for (const path of PICTURES) {
      await t.test(path, async () => {
        const response = await ask(path);
        assert.equal(response.status, 200);
        assert.deepEqual(Buffer.from(await response.arrayBuffer()), await referenceOf(path));
        const headers = { "if-none-match": response.headers.get("etag") };
        assert.equal((await ask(path, { headers })).status, 304);
      });
    }
    await t.test("200 requests at once", async () => {
      const paths = Array.from(
        { length: 200 },
        (_, i) => `/picture?model=digits&steps=1&digit=${i % 10}&seed=${i % 40}`,
      );
      const answers = await Promise.all(paths.map(async (path) => (await ask(path)).arrayBuffer()));
      for (const [i, bytes] of answers.entries()) assert.deepEqual(Buffer.from(bytes), await referenceOf(paths[i]));
    });
    await t.test("/stream", async () => {
      const text = await (await ask(PICTURES[5].replace("picture", "stream"))).text();
      assert.equal(text.match(/^event: step$/gm).length, 10);
      const [, picture] = /event: picture\ndata: .*base64,(.*)"}/.exec(text);
      assert.deepEqual(Buffer.from(picture, "base64"), await referenceOf(PICTURES[5]));
    });
    await t.test("refusals", async () => {
      assert.equal((await ask("/picture?prompt=a&steps=0")).status, 400);
      assert.equal((await ask("/picture", { method: "POST" })).status, 405);
      const { routes } = await (await ask("/pictures", { method: "POST" })).json();
      assert.equal(routes.length, 2);
    });
  });
}
