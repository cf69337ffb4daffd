import * as library from "./node_modules/ddim-wasm/build/index.js";
import { digest } from "./digest.js";

document.title = digest(library);
