// Serves the built site, under the path that it was built for.

import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import sirv from "sirv";

/** WebKit's driver does not tell what the console says: its pages note it themselves. */
const NOTE_COMPLAINTS = `<script>
  window.complaints = [];
  for (const name of ["error", "warn"]) console[name] = (...words) => complaints.push(words.join(" "));
  addEventListener("error", ({ message, target }) => complaints.push(message ?? "failed: " + target.outerHTML), true);
  addEventListener("unhandledrejection", ({ reason }) => complaints.push(String(reason)));
</script>`;

const isWebKit = ({ headers }) => !/Chrome|Firefox/.test(headers["user-agent"]);

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
    const page = join(folder, request.url);
    if (page.endsWith(".html") && isWebKit(request) && existsSync(page)) {
      response.setHeader("content-type", "text/html; charset=utf-8");
      return response.end(readFileSync(page, "utf8").replace("<head>", `<head>${NOTE_COMPLAINTS}`));
    }
    files(request, response, notFound);
  });
  await new Promise((resolve) => server.listen(0, "localhost", resolve));
  const url = `http://localhost:${server.address().port}${base}`;
  const close = () => new Promise((resolve) => server.close(resolve) && server.closeAllConnections());
  return { url, close };
}
