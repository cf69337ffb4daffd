import * as library from "ddim-wasm";
import { digest } from "./digest.js";

document.title = digest(library);
