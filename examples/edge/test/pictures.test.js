// The Worker in workerd: its pictures, what it refuses, and what a client that leaves costs.

import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, test } from "node:test";
import { decode } from "fast-png";
import { PICTURES, referenceOf } from "./reference.js";
import { startTestWorker } from "./workerd.js";

const worker = await startTestWorker();
after(() => worker.dispose());

const { ask } = worker;
const pause = () => new Promise((resolve) => setTimeout(resolve, 20));
const bytesOf = async (response) => Buffer.from(await response.arrayBuffer());
const [RED_STAR] = PICTURES;
const MANY_STEPS = "/picture?prompt=a+big+red+star&steps=50";

/**
 * Asks for something, and goes when `isTime`. The connection is reset, as Cloudflare's own proxy does it: workerd notices
 * one that is only closed when it writes the next time.
 */
async function leave(path, isTime) {
  const socket = connect(Number(worker.url.port), worker.url.hostname);
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  await isTime(socket);
  socket.resetAndDestroy();
}

/** What this file's own digits have called the model. */
let ownCalls = 0;

/** How often the model was called for others, once nobody draws: the calls during a digit of 20 steps are then 20. */
async function callsOfOthers() {
  for (;;) {
    const { calls } = await worker.state();
    await bytesOf(await ask("/picture?model=digits&digit=1&steps=20"));
    ownCalls += 20;
    if ((await worker.state()).calls === calls + 20) return calls + 20 - ownCalls;
  }
}

test("a first client that leaves while the model is loaded does not keep the others from it", async () => {
  await worker.state("/test/slow");
  const isReading = async () => {
    while ((await worker.state()).reads === 0) await pause();
  };
  await leave(RED_STAR, isReading);
  const response = await ask(RED_STAR);
  assert.equal(response.status, 200);
  assert.deepEqual(await bytesOf(response), await referenceOf(RED_STAR));
});

for (const path of PICTURES) {
  test(`${path} has the bytes that Node draws`, async () => {
    const response = await ask(path);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("content-type"), "image/png");
    assert.equal(response.headers.get("cache-control"), "public, max-age=31536000, immutable");
    const bytes = await bytesOf(response);
    assert.deepEqual(bytes, await referenceOf(path));
    const size = /width=(\d+)&height=(\d+)/.exec(path)?.slice(1).map(Number);
    const { width, height } = decode(bytes);
    assert.deepEqual([width, height], size ?? (path.includes("digits") ? [108, 108] : [64, 64]));
  });
}

test("200 requests at once are all answered, each with its own picture", async () => {
  const paths = Array.from({ length: 200 }, (_, i) =>
    i % 20 === 0
      ? `/picture?prompt=a+blue+circle&steps=2&seed=${i}`
      : `/picture?model=digits&steps=1&digit=${i % 10}&seed=${i}`,
  );
  const answers = await Promise.all(
    paths.map(async (path) => {
      const response = await ask(path);
      return { status: response.status, bytes: await bytesOf(response) };
    }),
  );
  for (const [i, { status, bytes }] of answers.entries()) {
    assert.equal(status, 200);
    assert.deepEqual(bytes, await referenceOf(paths[i]), paths[i]);
  }
  assert.equal(new Set(answers.map(({ bytes }) => bytes.toString("base64"))).size, 200);
});

test("equal parameters have one ETag, whatever their order and defaults; others have others", async () => {
  const etagOf = async (query) => (await ask(`/picture?${query}`, { method: "HEAD" })).headers.get("etag");
  const etag = await etagOf("prompt=a+red+star");
  assert.match(etag, /^"[0-9a-f]{64}"$/);
  for (const same of [
    "steps=20&prompt=a+red+star",
    "model=shapes&prompt=+a+red+star+&seed=-0&guidance=5.0&width=064",
  ]) {
    assert.equal(await etagOf(same), etag);
  }
  const others = [
    "prompt=a+red+stars",
    "prompt=a+red+star&seed=1",
    "prompt=a+red+star&steps=21",
    "model=digits&digit=1",
  ];
  const etags = await Promise.all(others.map(etagOf));
  assert.equal(new Set([etag, ...etags]).size, 5);
});

test("HEAD, and If-None-Match with the picture's ETag, call no model", async () => {
  const { calls } = await worker.state();
  const head = await ask(RED_STAR, { method: "HEAD" });
  assert.equal(head.status, 200);
  assert.equal(head.headers.get("content-type"), "image/png");
  const etag = head.headers.get("etag");
  for (const known of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
    const response = await ask(RED_STAR, { headers: { "if-none-match": known } });
    assert.equal(response.status, 304);
    assert.equal(response.headers.get("etag"), etag);
    assert.equal((await bytesOf(response)).length, 0);
  }
  assert.equal((await worker.state()).calls, calls);
  const changed = await ask(RED_STAR, { headers: { "if-none-match": '"other"' } });
  assert.deepEqual(await bytesOf(changed), await referenceOf(RED_STAR));
});

for (const [path, method, allow] of [
  ["/picture?prompt=a", "POST", "GET, HEAD"],
  ["/picture?prompt=a", "DELETE", "GET, HEAD"],
  ["/stream?prompt=a", "PUT", "GET, HEAD"],
  ["/pictures", "GET", "POST"],
  [`/pictures/${"0".repeat(64)}`, "POST", "GET, HEAD"],
]) {
  test(`${method} ${path.slice(0, 20)} is answered with 405 and what it takes`, async () => {
    const response = await ask(path, { method });
    assert.equal(response.status, 405);
    assert.equal(response.headers.get("allow"), allow);
    assert.match((await response.json()).error, new RegExp(`takes ${allow}, got ${method}$`));
  });
}

test("what is not there is answered with 404 and a list of routes; the models' files are not served", async () => {
  for (const path of ["/", "/pictures/1", "/picture/", "/models/digits/digits-unet.onnx"]) {
    const response = await ask(path);
    assert.equal(response.status, 404);
    const { error, routes } = await response.json();
    assert.equal(error, `there is no ${path}`);
    assert.deepEqual(
      routes.map((route) => /^\w+ \/\w+/.exec(route)[0]),
      ["GET /picture", "GET /stream", "POST /pictures", "GET /pictures", "GET /pictures"],
    );
  }
});

const WHOLE = "and takes a whole number from";
for (const [query, message] of [
  ["", '"prompt" got nothing, and takes 1 to 200 characters'],
  ["prompt=+", '"prompt" got " ", and takes 1 to 200 characters'],
  [`prompt=${"x".repeat(201)}`, `"prompt" got "${"x".repeat(60)}…", and takes 1 to 200 characters`],
  [`prompt=a&negative=${"x".repeat(201)}`, `"negative" got "${"x".repeat(60)}…", and takes 0 to 200 characters`],
  ["model=photos", '"model" got "photos", and takes one of shapes, digits'],
  ["model=__proto__", '"model" got "__proto__", and takes one of shapes, digits'],
  ["prompt=a&seed=1.5", `"seed" got "1.5", ${WHOLE} -2^63 to 2^64 - 1`],
  ["prompt=a&seed=18446744073709551616", `"seed" got "18446744073709551616", ${WHOLE} -2^63 to 2^64 - 1`],
  ["prompt=a&seed=-9223372036854775809", `"seed" got "-9223372036854775809", ${WHOLE} -2^63 to 2^64 - 1`],
  ["prompt=a&seed=", `"seed" got "", ${WHOLE} -2^63 to 2^64 - 1`],
  ["prompt=a&steps=0", `"steps" got "0", ${WHOLE} 1 to 50`],
  ["prompt=a&steps=51", `"steps" got "51", ${WHOLE} 1 to 50`],
  ["prompt=a&steps=2e1", `"steps" got "2e1", ${WHOLE} 1 to 50`],
  ["prompt=a&guidance=20.5", '"guidance" got "20.5", and takes a number from 0 to 20'],
  ["prompt=a&guidance=-1", '"guidance" got "-1", and takes a number from 0 to 20'],
  ["prompt=a&guidance=NaN", '"guidance" got "NaN", and takes a number from 0 to 20'],
  ["prompt=a&sampler=euler", '"sampler" got "euler", and takes one of ddim, dpm, lcm, tcd'],
  ["prompt=a&width=60", '"width" got "60", and takes a multiple of 8 from 32 to 80'],
  ["prompt=a&width=24", '"width" got "24", and takes a multiple of 8 from 32 to 80'],
  ["prompt=a&height=88", '"height" got "88", and takes a multiple of 8 from 32 to 80'],
  ["prompt=a&prompt=b", '"prompt" got "a & b", and takes one value'],
  ["prompt=a&model=shapes&model=digits", '"model" got "shapes & digits", and takes one value'],
  ["prompt=a&digit=1", '"model" got "shapes", and takes no "digit": its parameters are model, prompt, negative, seed'],
  ["model=digits", `"digit" got nothing, ${WHOLE} 0 to 9`],
  ["model=digits&digit=10", `"digit" got "10", ${WHOLE} 0 to 9`],
  ["model=digits&digit=1&sampler=lcm", '"sampler" got "lcm", and takes one of ddim, dpm'],
  [
    "model=digits&digit=1&prompt=a",
    '"model" got "digits", and takes no "prompt": its parameters are model, digit, seed',
  ],
  [`prompt=${"a+".repeat(76)}`, "and takes fewer words: the prompt has 76 tokens, and the model reads 75"],
]) {
  test(`/picture?${query.slice(0, 60)} is refused`, async () => {
    for (const path of ["/picture", "/stream"]) {
      const response = await ask(`${path}?${query}`);
      assert.equal(response.status, 400);
      const { error } = await response.json();
      assert.ok(error.includes(message), error);
      assert.equal((await ask(`${path}?${query}`, { method: "HEAD" })).status, 400);
    }
  });
}

test("/stream sends a preview each step, and the picture's bytes", async () => {
  for (const [path, steps, previewSize] of [
    [PICTURES[1], 8, 16],
    [PICTURES[5], 10, 108],
  ]) {
    const response = await ask(path.replace("/picture", "/stream"));
    assert.equal(response.headers.get("content-type"), "text/event-stream");
    const events = eventsOf(await response.text());
    assert.deepEqual(
      events.map(({ event, data: { step } }) => [event, step]),
      [...Array.from({ length: steps }, (_, i) => ["step", i + 1]), ["picture", undefined]],
    );
    for (const { data } of events.slice(0, -1)) {
      assert.equal(data.total, steps);
      const { width, height } = decode(pngOf(data.preview));
      assert.deepEqual([width, height], [previewSize, previewSize]);
    }
    assert.deepEqual(pngOf(events.at(-1).data.picture), await referenceOf(path));
  }
});

function eventsOf(text) {
  return text
    .split("\n\n")
    .filter(Boolean)
    .map((block) => {
      const [, event, data] = /^event: (\w+)\ndata: (.*)$/.exec(block);
      return { event, data: JSON.parse(data) };
    });
}

function pngOf(url) {
  const [start, data] = url.split(",");
  assert.equal(start, "data:image/png;base64");
  return Buffer.from(data, "base64");
}

// A picture of 50 steps takes 53 calls of models: two for the texts, and one for the decoder.
for (const route of ["picture", "stream"]) {
  test(`a client of /${route} that leaves stops the drawing`, async () => {
    const before = await callsOfOthers();
    const isTime = async () => {
      while ((await worker.state()).calls - ownCalls < before + 5) await pause();
    };
    await leave(MANY_STEPS.replace("picture", route), isTime);
    const calls = (await callsOfOthers()) - before;
    assert.ok(calls >= 5 && calls < 30, `${calls} calls`);
  });
}

test("a reader of /stream that cancels stops the drawing", async () => {
  const before = await callsOfOthers();
  const { body } = await ask(MANY_STEPS.replace("picture", "stream"));
  const reader = body.getReader();
  await reader.read();
  await reader.cancel();
  const calls = (await callsOfOthers()) - before;
  assert.ok(calls >= 3 && calls < 30, `${calls} calls`);
});

test("a picture that nobody leaves takes all of its calls", async () => {
  const before = await callsOfOthers();
  await bytesOf(await ask(MANY_STEPS));
  assert.equal((await callsOfOthers()) - before, 53);
});
