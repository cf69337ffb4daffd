// Folders that the example was not made for: random weights in the shapes of Stable Diffusion 1 and 2, and of LCM.

import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { readerOf } from "../src/folders.js";
import { loadTokens } from "../src/tokens.js";
import { assertNear, loadModel, modelFolder } from "./model.js";
import { writeFolder } from "./onnx.js";

const root = mkdtempSync(join(tmpdir(), "folders-"));
after(() => rmSync(root, { recursive: true }));
let count = 0;

async function drawWith(folderOptions, drawOptions = {}, loadOptions = {}) {
  const folder = join(root, String(count++));
  writeFolder(folder, folderOptions);
  const model = await loadModel(folder, loadOptions);
  const drawn = await model.draw({ prompt: "red", steps: 4, guidance: 3, ...drawOptions });
  await model.release();
  assert.ok(drawn.latents.data.every(Number.isFinite));
  return drawn;
}

const plain = await drawWith({});

test("Stable Diffusion 1's shapes: 512 x 512 pixels of 64 x 64 latents", () => {
  assert.deepEqual(plain.latents.dims, [1, 4, 64, 64]);
  assert.deepEqual([plain.pictures[0].width, plain.pictures[0].height], [512, 512]);
  assert.equal(new Set(plain.pictures[0].data).size > 100, true);
});

test("Stable Diffusion 2's width of text", async () => {
  const drawn = await drawWith({ width: 1024 });
  assert.notDeepEqual(drawn.latents.data, plain.latents.data);
});

test("float16 models draw the same, within their precision", async () => {
  const half = await drawWith({ half: true });
  const largest = plain.latents.data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  // A half has 11 bits; four steps and guidance take 3 of them.
  assertNear(half.latents.data, Array.from(plain.latents.data), largest * 2 ** -8);
});

test("--dtype picks the file, and one that is there alone is found", async () => {
  const drawn = await drawWith({ half: true, suffix: "_fp16" });
  const picked = await drawWith({ half: true, suffix: "_fp16" }, {}, { dtype: "fp16" });
  assert.deepEqual(picked.latents.data, drawn.latents.data);
  await assert.rejects(drawWith({ suffix: "_fp16" }, {}, { dtype: "fp32" }), /text_encoder\/model\.onnx is missing/);
});

test("weights in a file of their own", async () => {
  const drawn = await drawWith({ external: true });
  assert.deepEqual(drawn.latents.data, plain.latents.data);

  const folder = join(root, String(count - 1));
  renameSync(join(folder, "unet/model.onnx_data"), join(folder, "unet/elsewhere"));
  await assert.rejects(loadModel(folder), /unet\/model\.onnx_data is missing: it holds weights of unet\/model\.onnx/);
});

test("weights outside of the folder are not read", async () => {
  const folder = join(root, String(count++));
  writeFolder(folder, { external: true });
  const file = join(folder, "unet/model.onnx");
  const bytes = readFileSync(file);
  const name = Buffer.from("model.onnx_data");
  for (let at = bytes.indexOf(name); at >= 0; at = bytes.indexOf(name)) bytes.write("../../some/data", at);
  writeFileSync(file, bytes);
  await assert.rejects(loadModel(folder), /weights in \.\.\/\.\.\/some\/data are outside of the folder/);
});

for (const [timestep, timestepDims] of [
  ["int64", []],
  ["int64", [1]],
  ["int32", [1]],
  ["float32", []],
  ["float32", [1]],
  ["float32", ["batch"]],
  ["int64", ["steps"]],
]) {
  test(`timesteps as ${timestep}, dims ${JSON.stringify(timestepDims)}`, async () => {
    const drawn = await drawWith({ timestep, timestepDims });
    assertNear(drawn.latents.data, Array.from(plain.latents.data), 1e-5);
  });
}

test("v_prediction is taken from the configuration", async () => {
  const drawn = await drawWith({ scheduler: { prediction_type: "v_prediction" } });
  const off = drawn.latents.data.map((value, i) => Math.abs(value - plain.latents.data[i]));
  assert.ok(Math.max(...off) > 0.1);
});

test("LCM: its sampler, and guidance as an input of the model, not as a second call", async () => {
  const lcm = { conditioned: true, scheduler: { _class_name: "LCMScheduler", original_inference_steps: 50 } };
  const steps = [];
  const onStep = ({ total }) => steps.push(total);
  const drawn = await drawWith(lcm, { guidance: 8, onStep });
  const other = await drawWith(lcm, { guidance: 2 });
  assert.equal(drawn.sampler, "lcm");
  assert.deepEqual(steps, [4, 4, 4, 4]);
  assert.notDeepEqual(drawn.latents.data, other.latents.data);
});

test("every sampler draws with it", async () => {
  const drawn = [];
  for (const sampler of ["ddim", "dpm", "lcm", "tcd"]) {
    const result = await drawWith({}, { sampler });
    assert.equal(result.sampler, sampler);
    drawn.push(String(result.latents.data.slice(0, 8)));
  }
  assert.equal(new Set(drawn).size, 4);
});

test("image-to-image and inpainting on it, of several pictures", async () => {
  const image = { data: new Uint8Array(3 * 128 * 128).fill(90), width: 128, height: 128 };
  const mask = { data: new Uint8Array(128 * 128).fill(255, 8192), width: 128, height: 128 };
  for (const inputs of [{ image }, { image, mask }]) {
    const { latents } = await drawWith({ half: true }, { ...inputs, count: 2 });
    assert.deepEqual(latents.dims, [2, 4, 16, 16]);
  }
});

test("CLIP's older tokenizer files give the tokens of tokenizer.json", async () => {
  const folder = join(root, String(count++));
  cpSync(modelFolder, folder, { recursive: true });
  const { model: bpe } = JSON.parse(readFileSync(join(folder, "tokenizer/tokenizer.json"), "utf8"));
  rmSync(join(folder, "tokenizer/tokenizer.json"));
  writeFileSync(join(folder, "tokenizer/vocab.json"), JSON.stringify(bpe.vocab));
  const merges = bpe.merges.map((pair) => [pair].flat().join(" ")).join("\n");
  writeFileSync(join(folder, "tokenizer/merges.txt"), `#version: 0.2\n${merges}\n`);
  const read = (from) => loadTokens(readerOf(from));
  const [older, newer] = await Promise.all([folder, modelFolder].map(read));
  for (const prompt of ["", "A big  RED star, 12 of 'em", "it's on\ta blue background!", "größe ☃ 星"]) {
    assert.deepEqual(older.encode(prompt), newer.encode(prompt));
    assert.equal(newer.encode(prompt).length, 77);
  }
});

for (const [what, change, message] of [
  ["SDXL", ["model_index.json", { _class_name: "StableDiffusionXLPipeline" }], /StableDiffusionXLPipeline is another/],
  ["SD3", ["model_index.json", { _class_name: "StableDiffusion3Pipeline" }], /StableDiffusion3Pipeline is another/],
  ["Flux", ["model_index.json", { _class_name: "FluxPipeline" }], /FluxPipeline is another family/],
  ["inpainting's U-Net", ["unet/config.json", { in_channels: 9 }], /takes 9 channels/],
  ["a broken configuration", ["unet/config.json", null], /unet\/config\.json is no JSON/],
]) {
  test(`${what} is refused by name`, async () => {
    const folder = join(root, String(count++));
    cpSync(join(root, "0"), folder, { recursive: true });
    writeFileSync(join(folder, change[0]), change[1] ? JSON.stringify(change[1]) : "{");
    await assert.rejects(loadModel(folder), message);
  });
}

for (const file of ["scheduler/scheduler_config.json", "tokenizer/merges.txt", "text_encoder/model.onnx"]) {
  test(`a folder without ${file} is refused by its name`, async () => {
    const folder = join(root, String(count++));
    cpSync(join(root, "0"), folder, { recursive: true });
    rmSync(join(folder, file));
    await assert.rejects(loadModel(folder), ({ message }) => message.includes(file.split("/")[1].split(".")[0]));
  });
}
