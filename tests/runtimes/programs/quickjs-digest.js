import * as library from "ddim-wasm/portable";
import { digest } from "./digest.js";

export const result = digest(library);
