import * as library from "ddim-wasm";
import { digest } from "./digest.js";

console.log(digest(library));
