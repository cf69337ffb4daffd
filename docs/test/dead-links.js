// What the pages of a built site link to.

import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { parse } from "node-html-parser";
import { pagesOf } from "./site.js";

/** A page's addresses, and the anchors that it has. */
function readPage(folder, page) {
  const html = parse(readFileSync(join(folder, page), "utf8"));
  const valuesOf = (attribute) =>
    html.querySelectorAll(`[${attribute}]`).map((element) => element.getAttribute(attribute));
  return { addresses: [...valuesOf("href"), ...valuesOf("src")], anchors: new Set(valuesOf("id")) };
}

/** Addresses that lead nowhere, each with the page that has it, and the number of pages. */
export function findDeadLinks(folder, base) {
  const pages = new Map(pagesOf(folder).map((page) => [page, readPage(folder, page)]));
  const dead = [];
  for (const [page, { addresses }] of pages) {
    for (const address of new Set(addresses)) {
      const url = new URL(address, `http://site${base}${page}`);
      if (url.host !== "site") continue;
      const path = decodeURI(url.pathname);
      const inside = path.startsWith(base);
      const file = path.slice(base.length).replace(/^$|\/$/, "$&index.html");
      const anchor = decodeURIComponent(url.hash.slice(1));
      const isThere = inside && existsSync(join(folder, file)) && statSync(join(folder, file)).isFile();
      if (!isThere || (anchor !== "" && !pages.get(file)?.anchors.has(anchor))) dead.push(`${page}: ${address}`);
    }
  }
  return { dead, count: pages.size };
}
