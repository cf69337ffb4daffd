// Serves the built site, under the path that it was built for.

import { createServer } from "node:http";
import sirv from "sirv";

/**
 * @param {string} folder the built site
 * @param {string} base the path it is served under, such as "/" or "/ddim-wasm/"
 * @returns its address, which ends with `base`, and a function that ends the server
 */
export async function serve(folder, base = "/") {
  const files = sirv(folder, { dev: true });
  const server = createServer((request, response) => {
    const notFound = () => response.writeHead(404).end();
    if (!request.url.startsWith(base)) return notFound();
    request.url = `/${request.url.slice(base.length)}`;
    files(request, response, notFound);
  });
  await new Promise((resolve) => server.listen(0, "localhost", resolve));
  const url = `http://localhost:${server.address().port}${base}`;
  const close = () => new Promise((resolve) => server.close(resolve) && server.closeAllConnections());
  return { url, close };
}
