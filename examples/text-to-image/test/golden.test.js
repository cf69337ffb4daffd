// Every picture that diffusers made of this model, drawn again.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Float16Array } from "@petamoriken/float16";
import { assertNear, coloursOf, floatsOf, golden, loadModel, optionsOf } from "./model.js";

const model = await loadModel();

for (const made of golden.cases) {
  const { prompt, task, sampler, latents, latent_dims: latentDims, pixels } = made;
  test(`${task} by ${sampler}: ${[prompt].flat().join(" / ")}`, async (t) => {
    const drawn = await model.draw(optionsOf(made));
    assert.deepEqual(drawn.latents.dims, latentDims);
    const off = assertNear(drawn.latents.data, floatsOf(latents), 2e-3);
    const pixelsOff = assertNear(coloursOf(drawn.pictures), [...Buffer.from(pixels, "base64")], 2);
    t.diagnostic(`latents are ${off.toExponential(1)} off, pixels ${pixelsOff}`);
  });
}

test("the sampler of the folder's configuration is DDIM", async () => {
  const [first] = golden.cases;
  const { sampler, latents } = await model.draw({ ...optionsOf(first), sampler: undefined });
  assert.equal(sampler, "ddim");
  assertNear(latents.data, floatsOf(first.latents), 2e-3);
});

test("a picture does not depend on the others that are drawn with it", async () => {
  const options = { prompt: "a green ring on a black background", steps: 4, eta: 1 };
  const together = await model.draw({ ...options, seed: 5, count: 3 });
  const alone = await model.draw({ ...options, seed: 7 });
  assertNear(together.latents.data.slice(2 * 1024), Array.from(alone.latents.data), 1e-4);
});

test("sizes other than 64 x 64, wide and high", async () => {
  for (const [width, height] of [
    [96, 64],
    [64, 104],
  ]) {
    const { pictures } = await model.draw({ prompt: "a red star", steps: 2, width, height });
    assert.deepEqual(
      [pictures[0].width, pictures[0].height, pictures[0].data.length],
      [width, height, 4 * width * height],
    );
  }
});

test("an inpainted picture keeps its known latents: what was not masked", async () => {
  const inpainting = golden.cases.find(({ task, strength }) => task === "inpaint" && strength === 1);
  const options = { ...optionsOf(inpainting), steps: 4 };
  const image = await model.draw(options);
  const other = await model.draw({ ...options, prompt: "a red heart", eta: 1 });
  const isKnown = (i) => i % 16 < 8;
  assert.deepEqual(
    image.latents.data.filter((_, i) => isKnown(i)),
    other.latents.data.filter((_, i) => isKnown(i)),
  );
  assert.notDeepEqual(image.latents.data, other.latents.data);
});

test("previews look like what comes out", async () => {
  for (const made of golden.cases.slice(0, 3)) {
    let last;
    const onStep = async ({ step, total, preview }) => {
      if (step === total - 1) [last] = await preview();
    };
    const { pictures } = await model.draw({ ...optionsOf(made), onStep });
    assert.deepEqual([last.width, last.height], [16, 16]);
    const likeness = correlation(coloursOf([last]), shrink(pictures[0]));
    assert.ok(likeness > 0.5, `correlation ${likeness}`);
  }
});

test("what a step decodes is its preview at full size, and at the last step the picture", async () => {
  const decoded = [];
  const previews = [];
  const onStep = async ({ preview, decode }) => {
    previews.push(...(await preview()));
    decoded.push(...(await decode()));
  };
  const { pictures } = await model.draw({ ...optionsOf(golden.cases[0]), onStep });
  assert.equal(decoded.length, golden.cases[0].num_inference_steps);
  // Their first pictures are grey, and alike by chance only.
  for (const i of [10, 19]) assert.ok(correlation(coloursOf([previews[i]]), shrink(decoded[i])) > 0.5);
  const worst = coloursOf(pictures).map((value, i) => Math.abs(value - coloursOf([decoded.at(-1)])[i]));
  assert.ok(Math.max(...worst) < 64);
});

test("the time of onStep is nobody's", async () => {
  const onStep = () => new Promise((resolve) => setTimeout(resolve, 300));
  const { seconds } = await model.draw({ prompt: "a ring", steps: 2, onStep });
  assert.deepEqual(Object.keys(seconds), ["text encoder", "U-Net", "sampler", "VAE"]);
  assert.ok(seconds.sampler < 0.3, `the sampler took ${seconds.sampler} s`);
});

test("spacing and precision are the scheduler's", async () => {
  const options = { prompt: "a ring", steps: 7, seed: 1, guidance: 1 };
  const plain = await model.draw({ ...options, sampler: "ddim" });
  const named = await model.draw({ ...options, sampler: "ddim", spacing: "leading", precision: "float32" });
  assert.deepEqual(named.latents, plain.latents);
  for (const [name, values] of [
    ["spacing", ["trailing", "linspace"]],
    ["precision", ["float16"]],
  ]) {
    for (const value of values) {
      const { latents } = await model.draw({ ...options, sampler: "ddim", [name]: value });
      assert.notDeepEqual(latents, plain.latents, value);
      if (name === "precision") assert.deepEqual(latents.data, Float32Array.from(new Float16Array(latents.data)));
    }
  }
  await assert.rejects(model.draw({ ...options, sampler: "tcd", spacing: "linspace" }), /"linspace": tcd/);
});

test("an aborted signal stops before the next model call", async () => {
  const controller = new AbortController();
  let steps = 0;
  const onStep = () => ++steps === 2 && controller.abort(new Error("enough"));
  await assert.rejects(model.draw({ prompt: "a ring", onStep, signal: controller.signal }), /enough/);
  assert.equal(steps, 2);
});

test("what cannot be drawn is refused", async () => {
  const image = { data: new Uint8Array(3 * 64 * 64), width: 64, height: 64 };
  await assert.rejects(model.draw({ prompt: "a", width: 60 }), /60 x 64: .* divisible by 8/);
  await assert.rejects(model.draw({ prompt: "a", width: 0 }), /divisible by 8/);
  await assert.rejects(model.draw({ prompt: "a", image, width: 96 }), /the image has 64 x 64 pixels, not 96 x 64/);
  await assert.rejects(
    model.draw({ prompt: "a", image, mask: { ...image, width: 32 } }),
    /the mask has 32 x 64 pixels/,
  );
  await assert.rejects(model.draw({ prompt: "a ".repeat(76) }), /76 tokens, and the model reads 75/);
  await assert.rejects(model.draw({ prompt: "a", sampler: "dpm", eta: 1 }), /"eta" is no option/);
});

/** The mean colours of each 4 x 4 pixels. */
function shrink({ data }) {
  return Array.from({ length: 16 * 16 * 3 }, (_, i) => {
    const [pixel, colour] = [Math.floor(i / 3), i % 3];
    const [y, x] = [4 * Math.floor(pixel / 16), 4 * (pixel % 16)];
    const block = Array.from({ length: 16 }, (_, k) => data[4 * (64 * (y + (k >> 2)) + x + (k & 3)) + colour]);
    return block.reduce((sum, value) => sum + value, 0) / 16;
  });
}

function correlation(a, b) {
  const centred = (values) => {
    const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
    return values.map((v) => v - mean);
  };
  const [x, y] = [centred(a), centred(b)];
  const dot = (p, q) => p.reduce((sum, v, i) => sum + v * q[i], 0);
  return dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y));
}
