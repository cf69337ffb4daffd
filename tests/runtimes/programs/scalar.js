import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as library from "ddim-wasm";
import { digest } from "./digest.js";

await library.init(readFileSync(fileURLToPath(import.meta.resolve("ddim-wasm/core.scalar.wasm"))));
console.log(digest(library));
