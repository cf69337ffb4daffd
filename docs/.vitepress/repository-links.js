// Links that leave docs/ lead to files of the repository when a page is read on GitHub. On the site they lead to GitHub.

import { statSync } from "node:fs";
import { posix } from "node:path";
import { fileURLToPath } from "node:url";

export const REPOSITORY = "https://github.com/ddim-wasm/ddim-wasm";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** What the site shows itself of the files outside docs/. */
const SHOWN = { "index.ts": "reference/" };

/** A plugin of markdown-it. */
export function linkToRepository(md) {
  md.core.ruler.push("repository-links", ({ tokens, env }) => {
    for (const token of tokens.flatMap(({ children }) => children ?? [])) {
      if (token.type === "link_open") token.attrSet("href", resolve(token.attrGet("href"), env.relativePath));
    }
  });
}

/** @param {string} page the page's path within docs/ */
function resolve(href, page) {
  if (!href.startsWith("../")) return href;
  const [path, anchor] = posix.join("docs", posix.dirname(page), href).split("#");
  if (path.startsWith("docs/")) return href;
  if (SHOWN[path]) return `${page.startsWith("zh/") ? "/zh/" : "/"}${SHOWN[path]}`;
  const kind = statSync(posix.join(root, path)).isDirectory() ? "tree" : "blob";
  return `${REPOSITORY}/${kind}/main/${path}${anchor ? `#${anchor}` : ""}`;
}
