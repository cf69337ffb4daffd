import * as library from "ddim-wasm";
import { digest } from "./digest.js";

export default async function handler() {
  await library.init(); // the module is another realm's
  return new Response(digest(library));
}
