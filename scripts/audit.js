// Asks the registry for known vulnerabilities in the packages of every lock file: `npm run audit`. Those that are high or
// critical make it fail.

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { lockedFolders } from "./lock-files.js";
import { runNpm } from "./programs.js";

const root = fileURLToPath(new URL("..", import.meta.url));

for (const folder of lockedFolders()) {
  console.log(`\n${folder || "the package itself"}`);
  try {
    runNpm(["audit", "--audit-level=high"], { cwd: join(root, folder), encoding: "utf8", stdio: "inherit" });
  } catch {
    process.exitCode = 1; // npm has told why
  }
}
