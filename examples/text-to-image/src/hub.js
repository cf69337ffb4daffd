// Models of the Hugging Face hub, kept in its cache: the same one that Python's huggingface_hub has.

import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { downloadFileToCacheDir, getHFHubCachePath, getRepoFolderName, listFiles, modelInfo } from "@huggingface/hub";
import { Presets, SingleBar } from "cli-progress";
import { readWhole } from "./folders.js";

/** How often a download goes on after its connection broke, without a byte in between. */
const ATTEMPTS = 3;

/**
 * @param {string} name OWNER/NAME
 * @returns {Promise<import("./network.js").Read>} downloads what is read, the first time
 */
export async function openRepository(name) {
  if (!/^[\w.-]+\/[\w.-]+$/.test(name)) {
    throw new Error(
      `--model ${JSON.stringify(name)}: there is no such folder, and OWNER/NAME on the hub looks otherwise`,
    );
  }
  const repo = { type: "model", name };
  const cache = join(getHFHubCachePath(), getRepoFolderName(repo));
  const access = {
    hubUrl: process.env.HF_ENDPOINT,
    accessToken: process.env.HF_TOKEN,
    repo,
  };
  const { revision, isOffline } = await findRevision(name, access, join(cache, "refs/main"));
  let entries;

  return async (path) => {
    const cached = await readWhole(join(cache, "snapshots", revision, path));
    if (cached) return cached;
    if (isOffline) return null;
    entries ??= await told(name, list({ ...access, revision }));
    const entry = entries.get(path);
    if (!entry) return null;
    const bar = new SingleBar({ format: `${path} {bar} {percentage} %` }, Presets.shades_classic);
    bar.start(entry.size, 0);
    const { debug } = console;
    // The hub's library tells on stdout what it downloads.
    console.debug = () => {};
    try {
      const fetch = resumingFetch((received) => bar.increment(received));
      return await readWhole(await told(name, downloadFileToCacheDir({ ...access, path, revision, fetch })));
    } catch (error) {
      await rm(join(cache, "blobs", `${entry.lfs?.oid ?? entry.xetHash ?? entry.oid}.incomplete`), { force: true });
      throw error;
    } finally {
      console.debug = debug;
      bar.stop();
    }
  };
}

/** The commit that the model is at: as the hub says, or where it cannot be reached as it said before. */
async function findRevision(name, access, ref) {
  try {
    const { sha } = await told(name, modelInfo({ ...access, name, revision: "main", additionalFields: ["sha"] }));
    await mkdir(dirname(ref), { recursive: true });
    await writeFile(ref, sha);
    return { revision: sha, isOffline: false };
  } catch (error) {
    if (error.cause?.statusCode) throw error;
    const known = await readFile(ref, "utf8").catch(() => null);
    if (!known) throw error;
    console.warn(`${error.message}: what is in the cache is used`);
    return { revision: known, isOffline: true };
  }
}

async function list(params) {
  const entries = new Map();
  for await (const entry of listFiles({ ...params, recursive: true })) {
    if (entry.type === "file") entries.set(entry.path, entry);
  }
  return entries;
}

/** What went wrong, in words for who asked for the model. */
async function told(name, work) {
  try {
    return await work;
  } catch (error) {
    const reasons = {
      401: "it does not exist, or takes a token in the environment variable HF_TOKEN",
      403: "the token in HF_TOKEN has no access to it",
      404: "the hub has no such model, or no such file in it",
    };
    const reason = reasons[error.statusCode] ?? error.cause?.message ?? error.message;
    throw new Error(`--model ${name}: ${reason}`, { cause: error });
  }
}

/** fetch, but a body whose connection breaks goes on where it stopped. */
function resumingFetch(onBytes) {
  return async (url, init = {}) => {
    if ((init.method ?? "GET") !== "GET" || new Headers(init.headers).has("Range")) return fetch(url, init);
    const headers = { ...init.headers, "Accept-Encoding": "identity" };
    const response = await fetch(url, { ...init, headers });
    if (!response.ok) return response;
    const body = ReadableStream.from(
      wholeBody(response, onBytes, (range) => fetch(url, { headers: { ...headers, ...range } })),
    );
    return new Response(body, { status: response.status, headers: response.headers });
  };
}

async function* wholeBody({ body }, onBytes, ask) {
  let received = 0;
  let attempts = 0;
  for (;;) {
    try {
      for await (const chunk of body) {
        received += chunk.length;
        attempts = 0;
        onBytes(chunk.length);
        yield chunk;
      }
      return;
    } catch (error) {
      if (++attempts === ATTEMPTS) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 500 * attempts));
    const rest = await ask({ Range: `bytes=${received}-` });
    if (rest.status !== 206) throw new Error(`the connection broke, and the hub answers ${rest.status} for the rest`);
    body = rest.body;
  }
}
