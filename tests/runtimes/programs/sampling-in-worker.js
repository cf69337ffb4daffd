// A page that leaves the sampling to a Web Worker, as one writes it.
const worker = new Worker(new URL("./sampling-worker.js", import.meta.url), { type: "module" });
worker.addEventListener("message", ({ data: { dims, data } }) => (document.title = `${dims}: ${data.subarray(0, 3)}`));
worker.addEventListener("error", ({ message }) => (document.title = `failed: ${message}`));
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a Worker takes none
worker.postMessage({ seed: 42, steps: 4 });
