import * as library from "ddim-wasm/portable";
import { digest } from "./digest.js";

console.log(digest(library));
