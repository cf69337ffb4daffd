const worker = new Worker("./web-worker.js", { type: "module" });
worker.onmessage = ({ data }) => (document.title = data);
worker.onerror = ({ message }) => (document.title = `failed: ${message}`);
