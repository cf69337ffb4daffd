// The files of the models and of the engine that runs them, read once, with a report of how far they are.

import * as groups from "virtual:model-files";

/** How many bytes are read between two reports. */
const REPORT_EVERY = 2 ** 18;

/** @type {Map<string, Promise<Map<string, Uint8Array>>>} */
const groupsRead = new Map();

/**
 * @param {string[]} names of groups of .vitepress/playground.js
 * @param {(report: { read: number, total: number }) => void} onBytes
 * @returns {Promise<Map<string, Uint8Array>>} by path
 */
export async function readFiles(names, onBytes) {
  const missing = names.filter((name) => !groupsRead.has(name));
  const total = missing.flatMap((name) => Object.values(groups[name])).reduce((sum, { bytes }) => sum + bytes, 0);
  let read = 0;
  let reported = 0;
  const onChunk = (length) => {
    read += length;
    if (read - reported < REPORT_EVERY && read < total) return;
    reported = read;
    onBytes({ read, total });
  };
  for (const name of missing) groupsRead.set(name, readGroup(groups[name], onChunk));
  try {
    const maps = await Promise.all(names.map((name) => groupsRead.get(name)));
    return new Map(maps.flatMap((files) => [...files]));
  } catch (error) {
    for (const name of missing) groupsRead.delete(name); // the next try reads them again
    throw error;
  }
}

async function readGroup(files, onChunk) {
  const read = Object.entries(files).map(async ([path, file]) => {
    try {
      return [path, await readFile(file, onChunk)];
    } catch (error) {
      throw new Error(`${path} could not be read: ${error.message}`, { cause: error });
    }
  });
  return new Map(await Promise.all(read));
}

/** The size is known from when the site was built: what a server says may be that of a compressed file. */
async function readFile({ url, bytes }, onChunk) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`the server answers ${response.status}`);
  const content = new Uint8Array(bytes);
  let at = 0;
  for (const reader = response.body.getReader(); ;) {
    const { done, value } = await reader.read();
    if (done) break;
    content.set(value, at);
    at += value.length;
    onChunk(value.length);
  }
  if (at !== bytes) throw new Error(`${at} bytes came, of ${bytes}`);
  return content;
}
