// Every link, anchor, image, script and style of the built site leads somewhere.

import assert from "node:assert/strict";
import { test } from "node:test";
import { findDeadLinks } from "./dead-links.js";
import { SITE } from "./site.js";

test("no dead link", () => {
  const { dead, count } = findDeadLinks(SITE, "/");
  assert.deepEqual(dead, []);
  assert.ok(count > 150, `${count} pages`);
});
