// Scripts in a process of their own: for calls that might never return, exhaust the heap or change the engine's globals.

import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import * as assert from "uvu/assert";

const resolve = createRequire(import.meta.url).resolve;

export interface ChildOptions {
  /** The most megabytes of JavaScript objects; typed arrays lie outside of these. */
  heap?: number;
  /** After how many seconds the process is stopped: far more than it takes when nothing is wrong. */
  seconds?: number;
}

/**
 * Runs a script that knows the library as `library`, and returns what it gave to `report`. Fails when the process was
 * stopped, or ended in any other way than by itself.
 */
export function runInChild(script: string, { heap, seconds = 120 }: ChildOptions = {}): any {
  const source = `
    import * as library from ${JSON.stringify(pathToFileURL(resolve("ddim-wasm")).href)};
    const report = (value) => console.log(JSON.stringify(value));
    ${script}`;
  const options = heap === undefined ? [] : [`--max-old-space-size=${heap}`];
  const { status, signal, stdout, stderr } = spawnSync(
    process.execPath,
    [...options, "--input-type=module", "--eval", source],
    { encoding: "utf8", timeout: seconds * 1000, killSignal: "SIGKILL" },
  );
  if (signal === "SIGKILL") assert.unreachable(`it did not end within ${seconds} seconds`);
  const reason = /^FATAL ERROR.*|^\w*Error.*/m.exec(stderr)?.[0] ?? stderr;
  if (status !== 0) assert.unreachable(`the process ended with ${status ?? signal}: ${reason}`);
  return JSON.parse(stdout);
}
