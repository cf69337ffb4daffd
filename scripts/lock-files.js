// The folders that are packages with a lock file of their own.

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Their paths in the repository: "" is the package itself. */
export function lockedFolders() {
  const options = { cwd: root, encoding: "utf8" };
  const files = execFileSync("git", ["ls-files", "*package-lock.json"], options);
  return files
    .trim()
    .split("\n")
    .map((file) => file.replace(/\/?package-lock\.json$/, ""));
}
