// Models from the hub, of which two local servers take the place: one for the hub, one for its store of large files.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { program } from "./model.js";
import { writeFolder } from "./onnx.js";

const root = mkdtempSync(join(tmpdir(), "hub-"));
const folder = join(root, "model");
writeFolder(folder, { external: true });
const SHA = "0123456789abcdef0123456789abcdef01234567";
const LARGE = /\.onnx(_data)?$/;
const PRIVATE = "someone/private";
const TOKEN = "hf_of_someone";

const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => {
    const path = join(entry.parentPath, entry.name).slice(folder.length + 1);
    const bytes = readFileSync(join(folder, path));
    const oid = createHash("sha256").update(bytes).digest("hex");
    const isLarge = LARGE.test(path);
    return {
      type: "file",
      path,
      size: bytes.length,
      oid: oid.slice(0, 40),
      ...(isLarge && { lfs: { oid, size: bytes.length } }),
    };
  });

/** What was asked for, and what goes wrong: a file's name and how many of its answers are cut, and whether it has ranges. */
let asked;
let fault;
let cache;
let hub;
let store;
/** Of a server that is no longer there. */
let nowhere;

before(async () => {
  store = await listen((request, response) => {
    assert.equal(request.headers.authorization, undefined, "the token is not for the store");
    sendFile(request, response, request.url.slice(1));
  });
  hub = await listen(answer);
  const closed = await listen(() => {});
  nowhere = urlOf(closed);
  closed.close();
});
after(() => {
  hub.close();
  store.close();
  rmSync(root, { recursive: true });
});
beforeEach(() => {
  asked = [];
  fault = { path: null, cuts: 0, hasRanges: true };
  cache = mkdtempSync(join(root, "cache-"));
});

async function listen(handler) {
  const server = createServer(handler);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

const urlOf = (server) => `http://127.0.0.1:${server.address().port}`;

function answer(request, response) {
  const { pathname } = new URL(request.url, urlOf(hub));
  asked.push(pathname);
  const sendJson = (value, status = 200) => {
    response.writeHead(status, { "Content-Type": "application/json" });
    response.end(JSON.stringify(value));
  };
  const [, name, rest] = /^\/(?:api\/models\/)?([^/]+\/[^/]+)\/(.+)$/.exec(pathname);
  if (name === "someone/missing") return sendJson({ error: "Repository not found" }, 404);
  const isAllowed = name !== PRIVATE || request.headers.authorization === `Bearer ${TOKEN}`;
  if (!isAllowed) return sendJson({ error: "Invalid username or password." }, 401);
  if (rest === "revision/main") return sendJson({ _id: "1", id: name, sha: SHA });
  if (rest === `tree/${SHA}`) return sendJson(entries);
  if (rest === `paths-info/${SHA}`) {
    let body = "";
    request.on("data", (chunk) => (body += chunk));
    request.on("end", () => sendJson(entries.filter(({ path }) => JSON.parse(body).paths.includes(path))));
    return undefined;
  }
  const path = rest.slice(`resolve/${SHA}/`.length);
  if (!LARGE.test(path)) return sendFile(request, response, path);
  response.writeHead(302, { Location: `${urlOf(store)}/${path}` });
  return response.end();
}

function sendFile(request, response, path) {
  const bytes = readFileSync(join(folder, path));
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
  const isProbe = range?.[2] === "0";
  const isPart = range && (fault.hasRanges || isProbe);
  const start = isPart ? Number(range[1]) : 0;
  const end = isPart && range[2] ? Number(range[2]) + 1 : bytes.length;
  response.writeHead(isPart ? 206 : 200, {
    ETag: '"1"',
    "Content-Length": end - start,
    ...(isPart && { "Content-Range": `bytes ${start}-${end - 1}/${bytes.length}` }),
  });
  if (path === fault.path && !isProbe && fault.cuts-- > 0) {
    const part = bytes.subarray(start, start + Math.ceil((end - start) / 2));
    response.write(part, () => setTimeout(() => response.destroy(), 50));
  } else {
    response.end(bytes.subarray(start, end));
  }
}

/** Runs the program with a model of the hub. */
function draw(name, environment = {}) {
  const env = { ...process.env, HF_ENDPOINT: urlOf(hub), HF_HOME: cache, HF_TOKEN: "", ...environment };
  const args = [program, "red", "--model", name, "--steps", "1", "--size", "64", "--out", join(cache, "out.png")];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { env, encoding: "utf8" }, (error, stdout, stderr) =>
      resolve({ status: error?.code ?? 0, stdout, stderr }),
    );
  });
}

const filesIn = (path) => (existsSync(path) ? readdirSync(path, { recursive: true, withFileTypes: true }) : []);
const blobs = () => filesIn(cache).filter(({ parentPath }) => parentPath.endsWith("blobs"));

/** Each file of the cache is whole: large ones are named by their hash. */
function assertWhole() {
  for (const { name, parentPath } of blobs()) {
    const hash = createHash("sha256")
      .update(readFileSync(join(parentPath, name)))
      .digest("hex");
    assert.ok(hash.startsWith(name), `${name} is not whole`);
  }
}

function assertRefused({ status, stdout, stderr }, message) {
  assert.match(stderr, /^error: [^\n]+\n$/);
  assert.match(stderr, message);
  assert.equal(stdout, "");
  assert.equal(status, 1);
  assert.equal(existsSync(join(cache, "out.png")), false);
  assertWhole();
}

test("a model is downloaded once, and then is there without the hub", async () => {
  const first = await draw("someone/model");
  assert.equal(first.stderr, "");
  assert.equal(first.stdout.split("\n")[0], join(cache, "out.png"));
  assert.equal(
    asked.some((path) => path.endsWith("/vae_encoder/model.onnx")),
    false,
    "what is not used is not loaded",
  );
  assert.ok(blobs().length >= 10);
  assertWhole();

  asked.length = 0;
  const second = await draw("someone/model");
  assert.equal(second.status, 0);
  assert.equal(
    asked.some((path) => path.includes("/resolve/")),
    false,
  );

  const offline = await draw("someone/model", { HF_ENDPOINT: nowhere });
  assert.match(offline.stderr, /^--model someone\/model: [^\n]*ECONNREFUSED[^\n]*: what is in the cache is used\n$/);
  assert.equal(offline.status, 0);
});

test("a download goes on where its connection broke", async () => {
  fault = { path: "unet/model.onnx_data", cuts: 3, hasRanges: true };
  const { status, stderr } = await draw("someone/model");
  assert.deepEqual([status, stderr, fault.cuts], [0, "", -1]);
  assertWhole();
});

test("a download that cannot go on fails, leaves nothing half, and works the next time", async () => {
  fault = { path: "unet/model.onnx_data", cuts: 1, hasRanges: false };
  assertRefused(await draw("someone/model"), /--model someone\/model: the connection broke, and the hub answers 200/);
  assert.ok(blobs().length > 0);
  const { status } = await draw("someone/model");
  assert.equal(status, 0);
  assertWhole();
});

test("a model that the hub does not have", async () => {
  assertRefused(await draw("someone/missing"), /--model someone\/missing: the hub has no such model/);
});

test("a model that takes a token", async () => {
  assertRefused(await draw(PRIVATE), /--model someone\/private: it does not exist, or takes a token in .* HF_TOKEN/);
  assertRefused(await draw(PRIVATE, { HF_TOKEN: "hf_wrong" }), /it does not exist, or takes a token/);
  const { status, stderr } = await draw(PRIVATE, { HF_TOKEN: TOKEN });
  assert.deepEqual([status, stderr], [0, ""]);
});

test("a hub that cannot be reached", async () => {
  assertRefused(await draw("someone/model", { HF_ENDPOINT: nowhere }), /--model someone\/model: .*ECONNREFUSED/);
});
