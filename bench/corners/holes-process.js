// Fills memory with small tensors and frees every other one. Then it times, when told how many, how long it takes to
// free tensors that lie in the holes; "isIntact" asks whether those between them are as they were.

import { allocate } from "ddim-wasm";

const DIMS = [8];

/** How many holes are filled at once: few, so that nearly all of them stay. */
const ROUND = 100;

const tensors = Array.from({ length: Number(process.argv[2]) }, () => allocate(DIMS));
tensors.forEach((tensor, i) => {
  if (i % 2 === 0) tensor.free();
  else tensor.data.fill(i);
});

/** Milliseconds that so many calls of free() take. */
function timeFrees(count) {
  let elapsed = 0;
  for (let left = count; left > 0; left -= ROUND) {
    const filled = Array.from({ length: Math.min(left, ROUND) }, () => allocate(DIMS));
    for (const tensor of filled) tensor.data.fill(-1);
    const start = performance.now();
    for (const tensor of filled) tensor.free();
    elapsed += performance.now() - start;
  }
  return elapsed;
}

function isIntact() {
  return tensors.every((tensor, i) => i % 2 === 0 || tensor.data.every((value) => value === i));
}

process.on("message", (question) => process.send(question === "isIntact" ? isIntact() : timeFrees(question)));
