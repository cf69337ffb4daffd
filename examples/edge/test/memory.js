// How much memory workerd has, and the Worker in it.

import { readFileSync } from "node:fs";
import { WebSocket } from "ws";

export const MB = 2 ** 20;

/**
 * @param {Awaited<ReturnType<typeof import("./workerd.js").startWorkerd>>} worker with an inspectorPort
 */
export async function watchMemory(worker) {
  const { host } = await worker.inspector();
  const targets = await (await fetch(`http://${host}/json`)).json();
  const { webSocketDebuggerUrl } = targets.find(({ id }) => id.startsWith("core:user:"));
  const socket = new WebSocket(webSocketDebuggerUrl);
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  const waiting = new Map();
  socket.on("message", (data) => {
    const { id, result } = JSON.parse(data);
    waiting.get(id)?.(result);
  });
  let calls = 0;

  return {
    /** Bytes: of the process, and of the Worker's JavaScript with its arrays. */
    async read() {
      const id = ++calls;
      const { usedSize, backingStorageSize } = await new Promise((resolve) => {
        waiting.set(id, resolve);
        socket.send(JSON.stringify({ id, method: "Runtime.getHeapUsage" }));
      });
      const status = readFileSync(`/proc/${worker.process}/status`, "utf8");
      return { resident: 1024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)[1]), heap: usedSize + backingStorageSize };
    },
    close: () => socket.close(),
  };
}
