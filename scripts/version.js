// What `npm version` runs once package.json has the new version: the changelog and the citation follow, in its commit.

import { execFileSync } from "node:child_process";
import { release } from "./changelog.js";

const today = new Date().toISOString().slice(0, 10);
release(process.env.npm_package_version, today);
execFileSync("git", ["add", "CHANGELOG.md", "CITATION.cff"], { stdio: "inherit" });
