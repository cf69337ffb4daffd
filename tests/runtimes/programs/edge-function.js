// An edge function as one writes it, and the digest beside.
import * as library from "ddim-wasm";
import { digest } from "./digest.js";

const { DDIMScheduler, Generator } = library;

export const config = { runtime: "edge" };

export default async function handler(request) {
  await library.init(); // the module is another realm's
  if (new URL(request.url).pathname === "/digest") return new Response(digest(library));
  const scheduler = new DDIMScheduler();
  scheduler.setTimesteps(4);
  let sample = new Generator(42).randn([1, 4, 8, 8]);
  for (const t of scheduler.timesteps) sample = scheduler.step(sample, sample, t);
  return new Response(`${sample.dims}: ${sample.data.subarray(0, 3)}`);
}
