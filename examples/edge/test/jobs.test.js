// Jobs in workerd: its queue, and its bucket.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { referenceOf } from "./reference.js";
import { startTestWorker } from "./workerd.js";

const worker = await startTestWorker();
after(() => worker.dispose());

const { ask } = worker;
const post = (body) =>
  ask("/pictures", { method: "POST", body: typeof body === "string" ? body : JSON.stringify(body) });

async function submit(list) {
  const response = await post(list);
  assert.equal(response.status, 202);
  return (await response.json()).jobs;
}

/** The job once it is no longer queued. */
async function untilOver(id) {
  for (;;) {
    const job = await (await ask(`/pictures/${id}`)).json();
    if (job.state !== "queued") return job;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The bytes of a job's picture. */
async function pictureOf({ id, picture }) {
  const response = await ask(picture);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("etag"), `"${id}"`);
  assert.equal(response.headers.get("content-type"), "image/png");
  return Buffer.from(await response.arrayBuffer());
}

test("a hundred jobs are drawn and kept under the digests of their parameters", async () => {
  const list = Array.from({ length: 100 }, (_, i) => ({ model: "digits", digit: i % 10, steps: 1, seed: String(i) }));
  list[99] = { prompt: "a red star", steps: 2 };
  const jobs = await submit(list);
  assert.equal(jobs.length, 100);
  assert.equal(new Set(jobs.map(({ id }) => id)).size, 100);
  for (const [i, { id, state, picture }] of jobs.entries()) {
    assert.equal(state, "queued");
    assert.equal(picture, `/pictures/${id}.png`);
    assert.deepEqual(await untilOver(id), { id, state: "done", picture });
    const path = `/picture?${new URLSearchParams(list[i])}`;
    assert.deepEqual(await pictureOf(jobs[i]), await referenceOf(path));
    assert.equal((await ask(path, { method: "HEAD" })).headers.get("etag"), `"${id}"`);
  }
  const { objects } = await worker.bucket.list();
  assert.deepEqual(objects.map(({ key }) => key).toSorted(), jobs.map(({ id }) => `pictures/${id}.png`).toSorted());
});

test("a duplicate costs nothing: in one list, while it is queued, and when it is drawn", async () => {
  const job = { model: "digits", digit: 7, steps: 5 };
  const before = await worker.state();
  const [first, ...others] = [
    ...(await submit([job, { steps: "5", digit: "7", model: "digits", seed: 0 }, job])),
    ...(await submit([job])),
    ...(await Promise.all(Array.from({ length: 5 }, () => submit([job])))).flat(),
  ];
  for (const other of others) assert.equal(other.id, first.id);
  assert.equal((await untilOver(first.id)).state, "done");
  const [again] = await submit([job]);
  assert.deepEqual(again, { ...first, state: "done" });
  // A job after it in the queue: had a duplicate been queued, it would be over too.
  const [next] = await submit([{ ...job, digit: 8 }]);
  await untilOver(next.id);
  const now = await worker.state();
  assert.deepEqual([now.messages - before.messages, now.calls - before.calls], [2, 10]);
});

test("a message that the queue brings twice is drawn once", async () => {
  const wanted = { model: "digits", digit: 9, steps: 3 };
  const before = await worker.state();
  const [{ id }] = await submit([wanted]);
  await untilOver(id);
  await worker.queue.send({ id, query: new URLSearchParams(wanted).toString() });
  const [next] = await submit([{ ...wanted, digit: 8 }]);
  await untilOver(next.id);
  const now = await worker.state();
  assert.deepEqual([now.messages - before.messages, now.calls - before.calls], [3, 6]);
});

test("a job that fails twice is tried a third time, and succeeds", async () => {
  const before = (await worker.state("/test/fail?times=2")).calls;
  const [job] = await submit([{ model: "digits", digit: 2, steps: 3 }]);
  assert.equal((await untilOver(job.id)).state, "done");
  assert.deepEqual(await pictureOf(job), await referenceOf("/picture?model=digits&digit=2&steps=3"));
  assert.equal((await worker.state()).calls - before, 2 + 3);
});

test("a job that fails four times is given up, says so, and can be asked for again", async () => {
  const before = (await worker.state("/test/fail?times=4")).calls;
  const wanted = [{ model: "digits", digit: 4, steps: 3 }];
  const [job] = await submit(wanted);
  const { state, reason } = await untilOver(job.id);
  assert.deepEqual([state, reason], ["failed", "not drawn in 4 attempts"]);
  assert.equal((await ask(job.picture)).status, 404);
  assert.equal((await worker.state()).calls - before, 4);
  assert.equal((await submit(wanted))[0].state, "queued");
  assert.equal((await untilOver(job.id)).state, "done");
});

test("what is not there is answered with 404", async () => {
  const id = "0".repeat(64);
  for (const path of [`/pictures/${id}`, `/pictures/${id}.png`]) {
    const response = await ask(path);
    assert.equal(response.status, 404);
    assert.match((await response.json()).error, new RegExp(`^there is no (job|picture) ${id}$`));
  }
});

const digit = { model: "digits", digit: 1 };
for (const [body, message, status = 400] of [
  ["[", '"body" got "[", and takes JSON: '],
  ["", '"body" got "", and takes JSON: '],
  [digit, '"body" got "{\\"model\\":\\"digits\\",\\"digit\\":1}", and takes a JSON array'],
  [[], '"body" got "0 jobs", and takes 1 to 100'],
  [Array.from({ length: 101 }, () => digit), '"body" got "101 jobs", and takes 1 to 100'],
  [[digit, 7], 'job 1: "job" got "7", and takes an object of parameters'],
  [[digit, null], 'job 1: "job" got "null", and takes an object of parameters'],
  [[digit, { ...digit, digit: 10 }], 'job 1: "digit" got "10", and takes a whole number from 0 to 9'],
  [
    [{ ...digit, seed: 2 ** 53 }],
    'job 0: "seed" got "9007199254740992", and takes a string, or a number up to 2^53 - 1',
  ],
  [[{ ...digit, steps: [1] }], 'job 0: "steps" got "[1]", and takes a string, or a number up to 2^53 - 1'],
  [[{ ...digit, colour: "red" }], 'job 0: "model" got "digits", and takes no "colour": '],
  [[{ prompt: "a ".repeat(76) }], "job 0: "],
  [" ".repeat(400_001), "the body has 400001 bytes, more than 400000", 413],
]) {
  test(`POST /pictures refuses ${JSON.stringify(body).slice(0, 60)}, and queues nothing`, async () => {
    const { calls } = await worker.state();
    const response = await post(body);
    const { error } = await response.json();
    assert.equal(response.status, status, error);
    assert.ok(error.startsWith(message), error);
    const { objects } = await worker.bucket.list({ prefix: "jobs/" });
    assert.deepEqual(objects, []);
    assert.equal((await worker.state()).calls, calls);
  });
}

test("POST /pictures refuses a body without its length", async () => {
  const body = new Blob(["[]"]).stream();
  const response = await ask("/pictures", { method: "POST", body, duplex: "half" });
  assert.equal(response.status, 411);
  assert.match((await response.json()).error, /takes a content-length/);
});
