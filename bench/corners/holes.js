// Freeing memory that is full of holes. Each contestant has a process, and so a memory, of its own.

import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { WrongResult } from "../check.js";

const PROGRAM = fileURLToPath(new URL("holes-process.js", import.meta.url));

/** @param blocks in memory, every other one of which is free */
function enter(name, blocks) {
  const prepare = () => {
    const child = fork(PROGRAM, [String(blocks)]);
    const ended = new AbortController();
    child.once("exit", () => ended.abort());
    const ask = async (question) => {
      child.send(question);
      const [answer] = await once(child, "message", { signal: ended.signal });
      return answer;
    };
    let elapsed;
    const time = async (iterations) => (elapsed = await ask(iterations));
    return { ask, run: () => time(1), time, result: () => [elapsed], dispose: () => child.kill() };
  };
  const check = async ({ ask }) => {
    if (!(await ask("isIntact"))) throw new WrongResult(`${name}: freeing changes other tensors`);
  };
  return { name, prepare, check };
}

export default {
  title: "free() of a resident tensor",
  unit: "microseconds a call",
  nanoseconds: 1000,
  rows: [{ name: "20,000 holes", makeEntries: () => [enter("ddim-wasm", 40_000), enter("1,000 blocks", 1000)] }],
};
