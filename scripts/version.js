// What `npm version` runs: before it changes anything, a check that there is something to release; and once package.json
// has the new version, the same in the changelog and the citation, which go into its commit.

import { execFileSync } from "node:child_process";
import { hasUnreleased, release } from "./changelog.js";

if (process.env.npm_lifecycle_event === "version") {
  const today = new Date().toISOString().slice(0, 10);
  release(process.env.npm_package_version, today);
  execFileSync("git", ["add", "CHANGELOG.md", "CITATION.cff"], { stdio: "inherit" });
} else if (!hasUnreleased()) {
  console.error('CHANGELOG.md has nothing to release: write what changes for users under "## Unreleased"');
  process.exitCode = 1;
}
