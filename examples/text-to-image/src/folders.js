// Where a model's files are: a folder here, or a repository of the Hugging Face hub.

import { open, stat } from "node:fs/promises";
import { join } from "node:path";

/**
 * @param {string} folder
 * @returns {import("./network.js").Read}
 */
export function readerOf(folder) {
  return (path) => readWhole(join(folder, path));
}

/** The bytes of a file of any size (fs.readFile ends at 2 GiB); null if there is none. */
export async function readWhole(file) {
  const handle = await open(file).catch((error) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return null;
    throw error;
  });
  if (!handle) return null;
  try {
    const bytes = new Uint8Array((await handle.stat()).size);
    for (let at = 0; at < bytes.length;) {
      const { bytesRead } = await handle.read(bytes, at, Math.min(bytes.length - at, 2 ** 30));
      if (bytesRead === 0) throw new Error(`${file} became shorter while it was read`);
      at += bytesRead;
    }
    return bytes;
  } finally {
    await handle.close();
  }
}

/**
 * @param {string} folder
 * @returns {Promise<boolean>}
 */
export async function isFolder(folder) {
  return stat(folder).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}
