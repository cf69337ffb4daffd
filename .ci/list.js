// Prints the commands of .ci/run that run tests beside npm test, as JSON: .github/workflows/test.yml runs each in a job.

import { readFileSync } from "node:fs";

const run = readFileSync(new URL("run", import.meta.url), "utf8");
const commands = run.match(/^npm run [^#\n]*[^#\s]/gm);
console.log(JSON.stringify(commands));
