import * as library from "ddim-wasm";
import { digest } from "./digest.js";

export default { fetch: () => new Response(digest(library)) };
