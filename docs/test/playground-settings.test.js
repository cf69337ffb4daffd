// What the playground computes without a browser.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as library from "ddim-wasm";
import { codeOf } from "../playground/code.js";
import {
  colourPixels,
  decodePixels,
  encodePixels,
  maskPixels,
  paintLine,
  paintSpot,
  PALETTES,
} from "../playground/pixels.js";
import {
  DEFAULTS,
  fitsInLink,
  MODELS,
  readSettings,
  SAMPLERS,
  SAMPLERS_OF,
  SIZES,
  STARTS,
  whyNot,
  withModel,
  writeSettings,
} from "../playground/settings.js";
import { STRINGS } from "../playground/strings.js";

/** The paths of all texts. */
function keysOf(strings, path = "") {
  return Object.entries(strings).flatMap(([key, value]) =>
    value && typeof value === "object" && !Array.isArray(value) ? keysOf(value, `${path}${key}.`) : `${path}${key}`,
  );
}

test("both languages have the same texts, and functions of the same arguments", () => {
  assert.deepEqual(keysOf(STRINGS.zh), keysOf(STRINGS.en));
  const at = (strings, path) => path.split(".").reduce((value, key) => value[key], strings);
  for (const path of keysOf(STRINGS.en)) {
    const [en, zh] = [at(STRINGS.en, path), at(STRINGS.zh, path)];
    assert.equal(typeof zh, typeof en, path);
    if (typeof en === "function") assert.equal(zh.length, en.length, path);
  }
});

test("every reason and every colour has words", () => {
  const reasons = new Set();
  for (const model of MODELS) {
    for (const sampler of SAMPLERS) {
      for (const name of Object.keys(DEFAULTS.words)) {
        for (const guidance of [1, 5]) reasons.add(whyNot({ ...DEFAULTS[model], sampler, guidance }, name, sampler));
      }
    }
  }
  reasons.delete(null);
  assert.ok(reasons.size >= 4);
  for (const reason of reasons) assert.ok(STRINGS.en.reasons[reason], reason);
  for (const [name] of Object.values(PALETTES).flat()) assert.ok(STRINGS.en.colours[name], name);
});

const OTHERS = {
  prompt: "grün & rot = 100 % #1 + 2?",
  negative: "red",
  digit: 3,
  steps: 7,
  seed: 2 ** 32 - 1,
  guidance: 7.5,
  eta: 0.25,
  sampler: "dpm",
  spacing: "trailing",
  precision: "float16",
  start: "mask",
  strength: 0.35,
  mask: "4000b96a",
  over: writeSettings({ ...DEFAULTS.words, prompt: "a&b", seed: 5 }),
};

test("a link gives its settings back", () => {
  for (const model of MODELS) {
    for (const [name, value] of Object.entries(OTHERS)) {
      const settings = { ...DEFAULTS[model], [name]: value, ...(name !== "start" && { start: "mask" }) };
      const isOfOther = name === "digit" ? model === "words" : model === "digits" && /prompt|negative/.test(name);
      assert.equal(readSettings(writeSettings(settings))[name], isOfOther ? DEFAULTS[model][name] : value, name);
    }
  }
  const all = { ...DEFAULTS.words, ...OTHERS, digit: 7 };
  assert.deepEqual(readSettings(writeSettings(all)), all);
  assert.deepEqual(readSettings(readSettings(writeSettings(all)).over), { ...DEFAULTS.words, prompt: "a&b", seed: 5 });
});

test("what a link says wrongly is the default", () => {
  const wrong = "model=words&steps=0&seed=-1&guidance=much&eta=&sampler=euler&start=there&strength=2&digit=1.5&foo=1";
  assert.deepEqual(readSettings(wrong), DEFAULTS.words);
  assert.deepEqual(readSettings(""), DEFAULTS.words);
  assert.deepEqual(readSettings("model=digits&sampler=lcm"), DEFAULTS.digits);
  assert.equal(readSettings(`sketch=${"a".repeat(5000)}`).sketch, "");
  assert.equal(fitsInLink({ ...DEFAULTS.words, sketch: "a".repeat(5000) }), false);
  assert.equal(fitsInLink(DEFAULTS.words), true);
});

test("another model keeps what suits both", () => {
  const settings = { ...DEFAULTS.words, seed: 3, steps: 9, sampler: "tcd", start: "sketch", sketch: "b4095a" };
  const { seed, steps, sampler, start, sketch, guidance } = withModel(settings, "digits");
  assert.deepEqual([seed, steps, sampler, start, sketch, guidance], [3, 9, "ddim", "noise", "", 2]);
  assert.equal(withModel(DEFAULTS.digits, "words").prompt, DEFAULTS.words.prompt);
});

test("painted pixels: the middle of a spot, its width, and a text that gives them back", () => {
  for (const size of Object.values(SIZES)) {
    for (const width of [1, 2, 5, size / 2]) {
      const pixels = new Uint8Array(size * size);
      paintSpot(pixels, { x: size / 2 + 0.5, y: size / 2 + 0.5 }, width, 2);
      assert.equal(pixels[(size / 2) * size + size / 2], 2);
      const painted = pixels.filter(Boolean).length;
      assert.ok(Math.abs(painted - (Math.PI * width ** 2) / 4) <= 4 * width, `${painted} pixels of width ${width}`);
      paintLine(pixels, { x: -3, y: 0 }, { x: size + 3, y: size }, width, 1);
      assert.deepEqual(decodePixels(encodePixels(pixels), size, 10), pixels);
    }
    assert.equal(encodePixels(new Uint8Array(size * size)), "");
    assert.deepEqual(decodePixels("", size, 10), new Uint8Array(size * size));
  }
  const [lined, spots] = [new Uint8Array(1024), new Uint8Array(1024)];
  paintLine(lined, { x: 4.5, y: 8.5 }, { x: 20.5, y: 8.5 }, 1, 1);
  for (let x = 4; x <= 20; x++) spots[8 * 32 + x] = 1;
  assert.deepEqual(lined, spots);
});

test("a text that is no painting gives an empty one", () => {
  for (const text of ["9999b", "b", "1024z", "nonsense!", "1025a", "1000b23a"]) {
    assert.deepEqual(decodePixels(text, 32, 3), new Uint8Array(1024), text);
  }
});

test("painted pixels as the models take them", () => {
  const pixels = Uint8Array.of(0, 1, 2, 1);
  const { data, width, height } = colourPixels(pixels, PALETTES.words);
  assert.deepEqual([width, height], [2, 2]);
  assert.deepEqual(Array.from(data.subarray(0, 4)), [255, 255, 255, 255]);
  assert.deepEqual(Array.from(data.subarray(8, 12)), [...PALETTES.words[2].slice(1), 255]);
  assert.deepEqual(Array.from(maskPixels(pixels).data), [0, 255, 255, 255]);
});

test("the code on the page runs, and calls the model as often as the drawing does", async () => {
  const AsyncFunction = (async () => {}).constructor;
  const names = ["library", "unet", "encode", "schedulerConfig", "sketch", "picture", "mask"];
  const dims = { words: [1, 4, 16, 16], digits: [1, 1, 32, 32] };
  for (const model of MODELS) {
    const image = { data: new Float32Array(1024), dims: dims[model] };
    for (const start of STARTS) {
      for (const sampler of SAMPLERS_OF[model]) {
        const settings = { ...DEFAULTS[model], start, sampler, steps: 4, eta: 0.5, precision: "float16" };
        const code = codeOf(settings).replace(/^import (.*) from "ddim-wasm";/, "const $1 = library;");
        const run = new AsyncFunction(...names, `${code}\nreturn ${model === "words" ? "latents" : "digit"};`);
        let calls = 0;
        const unet = (sample) => {
          calls++;
          return { ...sample, data: sample.data.map(() => 0) };
        };
        const drawn = await run(library, unet, async () => "", {}, image, image, image);
        assert.deepEqual(drawn.dims, dims[model]);
        // The distilled samplers spend all their steps on a share of the way.
        const isWhole = start === "noise" || sampler === "lcm" || sampler === "tcd";
        assert.equal(calls, isWhole ? 4 : Math.floor(4 * settings.strength), `${sampler} from ${start}`);
      }
    }
  }
});
