// The playground of the built site, in three browsers.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { InferenceSession } from "onnxruntime-web";
import { readDigits } from "../../examples/digits/src/models.js";
import { decodePixels } from "../playground/pixels.js";
import { DEFAULTS, readSettings } from "../playground/settings.js";
import { BROWSERS, Visitor } from "./browsers.js";
import { serve } from "./server.js";
import { SITE } from "./site.js";
import { drawWords } from "./words.js";

const classifierFile = new URL("../../examples/digits/model/digits-classifier.onnx", import.meta.url);

let site;
before(async () => (site = await serve(SITE)));
after(() => site.close());

/** The digit that the classifier reads in pixels of red, green and blue. */
async function read(pixels) {
  const classifier = await InferenceSession.create(readFileSync(classifierFile));
  const data = Float32Array.from({ length: 32 * 32 }, (_, i) => pixels[3 * i] / 127.5 - 1);
  const [digit] = await readDigits(classifier, { data, dims: [1, 1, 32, 32] });
  return digit;
}

const settingsIn = (address) => readSettings(new URL(address).hash.slice(1));

/** The largest difference. */
const differ = (a, b) => a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);

for (const { name, skip, open } of BROWSERS) {
  describe(name, { skip }, () => {
    let browser;
    /** @type {Visitor} */
    let visitor;
    const goTo = (hash = "") => visitor.open(`${site.url}playground.html${hash}`);

    before(async () => {
      const opened = await open();
      browser = opened.browser;
      visitor = new Visitor(opened.page);
    });
    after(() => browser?.close());

    test("a link draws what Node draws, and draws it again to the bit", async (t) => {
      const settings = { ...DEFAULTS.words, steps: 5, seed: 3, spacing: "trailing", eta: 0.5, precision: "float16" };
      await goTo("#model=words&steps=5&seed=3&spacing=trailing&eta=0.5&precision=float16&draw");
      await visitor.drawn();
      const pixels = await visitor.pixels();
      const { picture } = await drawWords(settings);
      const expected = Array.from(picture.data).filter((_, i) => i % 4 < 3);
      assert.equal(pixels.length, expected.length);
      const off = differ(pixels, expected);
      t.diagnostic(`${off} of 255 from Node`);
      assert.ok(off <= 2, `differs by ${off}`);

      await visitor.reload();
      await visitor.drawn();
      assert.deepEqual(await visitor.pixels(), pixels);
    });

    test("a 7 is read as one; its steps are looked at by slider, by click and by key", async () => {
      await goTo("#model=digits&digit=4&steps=8");
      await visitor.click("text=7");
      await visitor.click("text=Draw");
      await visitor.drawn();
      assert.match(await visitor.address(), /#model=digits&steps=8&draw$/);
      const pixels = await visitor.pixels();
      assert.equal(await read(pixels), 7);
      assert.match(await visitor.text(".times"), /^Model [\d.]+ s, sampler [\d.]+ s: [\d.]+ % of the time\.$/);

      assert.equal(await visitor.evaluate(() => document.querySelectorAll(".strip button").length), 9);
      const label = () => visitor.evaluate(() => document.querySelector(".stage canvas").getAttribute("aria-label"));
      assert.equal(await label(), "Picture: 7");
      await visitor.focus(".film input");
      await visitor.press("Home");
      await visitor.waitFor("the first step", () =>
        document.querySelector(".stage canvas").getAttribute("aria-label").includes("step 1"),
      );
      const first = await visitor.pixels();
      assert.notDeepEqual(first, pixels);
      await visitor.click(".strip button:nth-child(4)");
      assert.equal(await label(), "step 4");
      await visitor.press("ArrowRight");
      assert.equal(await label(), "step 5");
      await visitor.press("End");
      assert.deepEqual(await visitor.pixels(), pixels);
    });

    test("cancelled, started again, and back in the history", async () => {
      await goTo("#model=digits&digit=3&steps=6&draw");
      await visitor.drawn();
      const three = await visitor.pixels();
      await visitor.focus("#pg-steps");
      await visitor.press("End"); // 50 steps
      await visitor.click("text=Draw");
      await visitor.waitFor("a step", () => document.querySelectorAll(".strip button").length >= 2);
      await visitor.click("text=Cancel");
      await visitor.waitFor("the end", () => document.querySelector(".line p").textContent === "Cancelled.");
      assert.deepEqual(await visitor.pixels(), three, "the picture before is still there");

      await visitor.click("text=Draw");
      await visitor.drawn();
      assert.equal(await visitor.evaluate(() => document.querySelectorAll(".strip button").length), 51);
      assert.notDeepEqual(await visitor.pixels(), three);
      await visitor.back();
      await visitor.waitUntil("the picture before", async () => isDeepStrictEqual(await visitor.pixels(), three));
      await visitor.drawn();
      assert.equal(await visitor.evaluate(() => document.querySelectorAll(".strip button").length), 7);
      assert.equal(await visitor.evaluate(() => document.querySelector("#pg-steps").value), "6");
    });

    test("a sketch by mouse and by keyboard is in the link, which draws the same", async () => {
      await goTo("#model=digits&digit=1&steps=6&start=sketch&strength=0.5");
      await visitor.drag(".paper canvas", [0.5, 0.2], [0.5, 0.8]);
      const painted = async (column, row) => {
        const { sketch } = settingsIn(await visitor.address());
        return decodePixels(sketch, 32, 3)[32 * row + column];
      };
      const isSaved = () => location.hash.includes("sketch=");
      await visitor.waitFor("the link", isSaved);
      assert.deepEqual([await painted(16, 16), await painted(4, 16)], [1, 0]);

      await visitor.click("text=Clear");
      await visitor.waitFor("the link", () => !location.hash.includes("sketch="));
      await visitor.click("text=Undo");
      await visitor.waitFor("the link", isSaved);
      await visitor.click("text=Clear");
      await visitor.waitFor("the link", () => !location.hash.includes("sketch="));

      // From where the mouse was last: its cursor is the keyboard's.
      await visitor.focus(".paper canvas");
      const left = Array(32).fill("ArrowLeft");
      const up = Array(32).fill("ArrowUp");
      await visitor.press(...left, ...up, ...Array(16).fill("ArrowRight"), ...Array(6).fill("ArrowDown"));
      await visitor.press(" ", ...Array(20).fill("Shift+ArrowDown"));
      await visitor.waitFor("the link", isSaved);
      await new Promise((resolve) => setTimeout(resolve, 400));
      assert.deepEqual([await painted(16, 7), await painted(16, 26), await painted(16, 1)], [1, 1, 0]);

      await visitor.click("text=Draw");
      await visitor.drawn();
      const pixels = await visitor.pixels();
      assert.equal(await read(pixels), 1);
      await visitor.reload();
      await visitor.drawn();
      assert.deepEqual(await visitor.pixels(), pixels);
    });

    test("a mask by mouse: the rest of the picture stays, and the link draws both pictures", async () => {
      await goTo("#model=digits&digit=7&steps=6&draw");
      await visitor.drawn();
      const before = await visitor.pixels();
      await visitor.click("text=A masked picture");
      await visitor.drag(".paper canvas", [0.2, 0.75], [0.8, 0.75]);
      await visitor.waitFor("the link", () => location.hash.includes("mask="));
      await visitor.evaluate(() => {
        const seed = document.querySelector("#pg-seed");
        seed.value = 5;
        seed.dispatchEvent(new Event("input", { bubbles: true }));
      });
      await visitor.click("text=Draw");
      await visitor.drawn();
      const masked = await visitor.pixels();
      const mask = decodePixels(settingsIn(await visitor.address()).mask, 32, 2);
      const [inside, outside] = [1, 0].map((side) => masked.filter((_, i) => mask[Math.floor(i / 3)] === side));
      const [insideBefore, outsideBefore] = [1, 0].map((side) =>
        before.filter((_, i) => mask[Math.floor(i / 3)] === side),
      );
      assert.ok(differ(outside, outsideBefore) <= 1, "what is not marked stays");
      assert.ok(differ(inside, insideBefore) > 20, "what is marked is painted anew");
      await visitor.reload();
      await visitor.drawn();
      assert.deepEqual(await visitor.pixels(), masked);
    });

    test("the console is silent, and nothing is asked of another host", async () => {
      await visitor.evaluate(() => console.error("is heard"));
      await visitor.waitUntil("the console", async () => (await visitor.complaints()).length > 0);
      assert.deepEqual(await visitor.complaints(), ["is heard"]);
      const entries = await visitor.evaluate(() => performance.getEntriesByType("resource").map((entry) => entry.name));
      for (const url of [...visitor.requests, ...entries]) {
        assert.ok(/^(about|data|blob):/.test(url) || url.startsWith(site.url), url);
      }
    });
  });
}
