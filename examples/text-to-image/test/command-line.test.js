// The command as its users run it.

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { decode, encode } from "fast-png";
import sharp from "sharp";
import { assertNear, coloursOf, golden, loadModel, modelFolder, optionsOf, program } from "./model.js";

const folder = mkdtempSync(join(tmpdir(), "text-to-image-"));
after(() => rmSync(folder, { recursive: true }));

/** Runs the program in `folder`. */
function draw(...args) {
  const stdout = execFileSync(process.execPath, [program, ...args], { cwd: folder, encoding: "utf8" });
  return { stdout, read: (name) => decode(readFileSync(join(folder, name))) };
}

test("the defaults draw as diffusers does, with prompt and settings in the file", async () => {
  const [made] = golden.cases;
  const { stdout, read } = draw(made.prompt, "--seed", String(made.seed), "--out", "star.png");
  const picture = read("star.png");
  assertNear([...picture.data], [...Buffer.from(made.pixels, "base64")], 2);
  const [file, times] = stdout.trim().split("\n");
  assert.equal(file, join(folder, "star.png"));
  assert.match(times, /^text encoder [\d.]+ s, U-Net [\d.]+ s, sampler [\d.]+ s, VAE [\d.]+ s$/);
  assert.equal(picture.text.Description, made.prompt);
  assert.deepEqual(JSON.parse(picture.text.Comment), {
    prompt: made.prompt,
    steps: 20,
    guidance: 5,
    rescale: 0,
    sampler: "ddim",
    negativePrompt: "",
    width: 64,
    height: 64,
    seed: String(made.seed),
    model: "model",
  });
});

test("every other option reaches the picture", async () => {
  const args = ["--negative", "red", "--steps", "3", "--guidance", "7", "--rescale", "0.7", "--eta", "0.5"];
  const names = ["--sampler", "ddim", "--spacing", "trailing", "--precision", "float16"];
  const { read } = draw(
    "Zoë’s star",
    ...args,
    ...names,
    "--size",
    "96x64",
    "--count",
    "2",
    "--seed=-1",
    "--out",
    "two.png",
  );
  const options = { negativePrompt: "red", steps: 3, guidance: 7, rescale: 0.7, eta: 0.5, width: 96, height: 64 };
  const named = { sampler: "ddim", spacing: "trailing", precision: "float16" };
  const model = await loadModel();
  const { pictures } = await model.draw({ prompt: "Zoë’s star", ...options, ...named, seed: [-1, 0] });
  for (const [i, expected] of pictures.entries()) {
    const picture = read(`two-${i + 1}.png`);
    assert.deepEqual([picture.width, picture.height], [96, 64]);
    assertNear([...picture.data], coloursOf([expected]), 1);
    assert.equal(picture.text.Description, "Zoë\\u2019s star");
    assert.equal(JSON.parse(picture.text.Comment).prompt, "Zoë’s star");
  }
});

for (const made of golden.cases.filter(({ image, seed, eta }) => image && Number.isInteger(seed) && !eta)) {
  test(`${made.task}, from files: ${made.prompt}`, async () => {
    const { image, mask } = optionsOf(made);
    writeFileSync(join(folder, "image.png"), encode({ ...image, data: Uint8Array.from(image.data), channels: 3 }));
    const args = ["--image", "image.png", "--strength", String(made.strength), "--seed", String(made.seed)];
    if (mask) {
      writeFileSync(join(folder, "mask.png"), encode({ ...mask, data: Uint8Array.from(mask.data), channels: 1 }));
      args.push("--mask", "mask.png");
    }
    const { read } = draw(made.prompt, ...args, "--out", "changed.png");
    assertNear([...read("changed.png").data], [...Buffer.from(made.pixels, "base64")], 2);
  });
}

test("images of other formats, sizes and colours are read: JPEG, WebP, grey, see-through", async () => {
  const background = { r: 200, g: 30, b: 30, alpha: 0.5 };
  const blank = () => sharp({ create: { width: 300, height: 200, channels: 4, background } });
  await blank().jpeg().toFile(join(folder, "a.jpg"));
  await blank().webp().toFile(join(folder, "a.webp"));
  await blank().greyscale().toFile(join(folder, "grey.png"));
  await blank().toFile(join(folder, "clear.png"));
  for (const file of ["a.jpg", "a.webp", "grey.png", "clear.png"]) {
    const { read } = draw("a ring", "--image", file, "--mask", file, "--steps", "1", "--out", "read.png");
    assert.equal(read("read.png").data.length, 3 * 64 * 64);
  }
});

writeFileSync(join(folder, "text.png"), "not a picture");
const broken = join(folder, "broken");
cpSync(modelFolder, broken, { recursive: true });
writeFileSync(join(broken, "unet/model.onnx"), "not a model");
const other = join(folder, "other");
cpSync(modelFolder, other, { recursive: true });
writeFileSync(join(other, "model_index.json"), '{ "_class_name": "StableDiffusionXLPipeline" }');
const partial = join(folder, "partial");
cpSync(modelFolder, partial, { recursive: true });
rmSync(join(partial, "vae_decoder/model.onnx"));

for (const [args, message] of [
  [[], /a prompt expected/],
  [[" "], /a prompt expected/],
  [["a", "ring"], /one prompt expected, in quotes; got 2/],
  [["a".repeat(10000)], /the prompt has \d+ tokens, and the model reads 75: shorten it/],
  [["a ".repeat(5000)], /the prompt has 5000 tokens/],
  [["a", "--negative", "a ".repeat(76)], /the prompt has 76 tokens/],
  [["a", "--foo"], /Unknown option '--foo'/],
  [["a", "-x"], /Unknown option '-x'/],
  [["a", "--steps"], /'--steps/],
  [["a", "--steps", "0"], /--steps "0": expected a whole number from 1 to 1000/],
  [["a", "--steps", "2.5"], /--steps "2.5": expected a whole number/],
  [["a", "--guidance", "much"], /--guidance "much": expected a finite number/],
  [["a", "--rescale", "2"], /--rescale "2": expected a number from 0 to 1/],
  [["a", "--seed", "1.5"], /--seed "1.5": expected a whole number from -2\^63 to 2\^64 - 1/],
  [["a", "--sampler", "euler"], /--sampler "euler": expected one of ddim, dpm, lcm, tcd/],
  [["a", "--sampler", "dpm", "--eta", "1"], /"eta" is no option of the steps of DPMSolverMultistepScheduler/],
  [["a", "--spacing", "even"], /--spacing "even": expected one of leading, trailing, linspace/],
  [["a", "--sampler", "lcm", "--spacing", "trailing"], /spacing "trailing": lcm spreads its timesteps/],
  [["a", "--precision", "float64"], /--precision "float64": expected one of float32, float16/],
  [["a", "--size", "60"], /size 60 x 60: this model draws sizes that are divisible by 8/],
  [["a", "--size", "big"], /--size "big": expected a number of pixels/],
  [["a", "--count", "0"], /--count "0"/],
  [["a", "--strength", "0.5"], /--strength takes --image beside it/],
  [["a", "--mask", "text.png"], /--mask takes --image beside it/],
  [["a", "--image", "text.png"], /--image ".*text\.png": Input file contains unsupported image format/],
  [["a", "--image", "missing.png"], /--image ".*missing\.png": Input file is missing/],
  [["a", "--image", "text.png", "--strength", "0"], /--strength "0": expected a number above 0 and at most 1/],
  [["a", "--dtype", "fp8"], /--dtype "fp8": expected one of fp32, fp16/],
  [["a", "--dtype", "fp16"], /text_encoder\/model_fp16\.onnx is missing/],
  [["a", "--model", "nothing here"], /--model "nothing here": there is no such folder/],
  [["a", "--model", folder], /model_index\.json is missing/],
  [["a", "--model", broken], /unet\/model\.onnx is no model that onnxruntime loads: .*protobuf/],
  [["a", "--model", other], /StableDiffusionXLPipeline is another family of models/],
  [["a", "--model", partial], /vae_decoder\/model\.onnx is missing/],
  [["a", "--out", "missing/a.png"], /--out ".*" cannot be written: ENOENT/],
  [["a", "--out", "."], /cannot be written: it is a folder/],
]) {
  const name = JSON.stringify(args).replaceAll(folder, "…").slice(0, 80);
  test(`${name} is refused in one line, and nothing is written`, () => {
    const cwd = mkdtempSync(join(folder, "refused-"));
    cpSync(join(folder, "text.png"), join(cwd, "text.png"));
    const out = args.includes("--out") ? [] : ["--out", "new.png"];
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args, ...out], {
      cwd,
      encoding: "utf8",
    });
    assert.match(stderr, /^error: [^\n]+\n$/);
    assert.match(stderr, message);
    assert.equal(stdout, "");
    assert.equal(status, 1);
    assert.deepEqual(readdirSync(cwd), ["text.png"]);
  });
}
