// Whether the pictures show what the prompts say, as often as those that diffusers makes of the same prompts and seeds.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { coloursOf, golden, loadModel } from "./model.js";
import { drawShape, NAMES, readPicture } from "./reader.js";

const { steps, guidance, agrees, of } = golden.reader;
const asked = JSON.parse(readFileSync(new URL("golden/asked.json", import.meta.url), "utf8"));
const BATCH = 20;

test("the reader reads drawings", () => {
  for (const [i, shape] of NAMES.shapes.entries()) {
    const [color, background] = [NAMES.colors[i], NAMES.colors[(i + 3) % 10]];
    const drawing = { color, shape, background, radius: 0.44, left: 0.3, top: -0.02 };
    const read = readPicture(drawShape(drawing));
    assert.deepEqual([read.color, read.shape, read.background], [color, shape, background]);
    for (const name of ["radius", "left", "top"])
      assert.ok(Math.abs(read[name] - drawing[name]) < 0.07, `${shape}: ${name}`);
  }
});

test(`of ${of} pictures as many are read as asked for as of diffusers'`, async (t) => {
  assert.equal(asked.length, of);
  const model = await loadModel();
  let right = 0;
  for (let first = 0; first < of; first += BATCH) {
    const part = asked.slice(first, first + BATCH);
    const { pictures } = await model.draw({
      prompt: part.map(promptOf),
      seed: part.map(({ seed }) => seed),
      steps,
      guidance,
    });
    for (const [i, picture] of pictures.entries()) {
      const read = readPicture(coloursOf([picture]));
      if (["color", "shape", "background"].every((name) => read[name] === part[i][name])) right++;
    }
  }
  t.diagnostic(`${right} of ${of} are read as asked for; of diffusers' own, ${agrees}`);
  // The pictures are the same within 2 of 255: at most a few are read otherwise, for two shapes fit as well.
  assert.ok(Math.abs(right - agrees) <= 2, `${right} of ${of}, not ${agrees}`);
});

function promptOf({ size, color, shape, place, background }) {
  return ["a", size, color, shape, place, `on a ${background} background`].filter(Boolean).join(" ");
}
