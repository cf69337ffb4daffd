const worker = new Worker("./web-worker.js", { type: "module" });
worker.addEventListener("message", ({ data }) => (document.title = data));
worker.addEventListener("error", ({ message }) => (document.title = `failed: ${message}`));
