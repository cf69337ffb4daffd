// Prints the release notes of a tag, once every file agrees with it: `node scripts/release-notes.js v0.1.0`.

import { notesOf } from "./changelog.js";

try {
  console.log(notesOf(process.argv[2] ?? ""));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
