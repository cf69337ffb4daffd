// The playground as a page: accessible in both languages and themes, narrow and wide, under any base, and clear about what
// goes wrong. In Chromium.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { decode } from "fast-png";
import { colourPixels, decodePixels, encodePixels, maskPixels, paintSpot, PALETTES } from "../playground/pixels.js";
import { DEFAULTS, readSettings, writeSettings } from "../playground/settings.js";
import { BROWSERS, Visitor } from "./browsers.js";
import { serve } from "./server.js";
import { buildFor, openSite } from "./site.js";
import { drawWords } from "./words.js";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const PHONE = { width: 390, height: 844 };
const DESK = { width: 1280, height: 900 };

describe("the page", { skip: BROWSERS[0].skip }, () => {
  const site = openSite();

  /** Does what a test does on a new page, and holds that the console was silent. */
  async function visit(options, work, allowed = []) {
    const page = await site.browser.newPage({ viewport: DESK, ...options });
    const visitor = new Visitor(page);
    try {
      await work(visitor, page);
      const complaints = await visitor.complaints();
      assert.deepEqual(
        complaints.filter((text) => !allowed.some((pattern) => pattern.test(text))),
        [],
      );
    } finally {
      await page.close();
    }
  }

  for (const path of ["playground.html", "zh/playground.html"]) {
    for (const colorScheme of ["light", "dark"]) {
      test(`axe finds nothing in ${path}, ${colorScheme}`, async () => {
        await visit({ colorScheme }, async (visitor, page) => {
          for (const hash of ["#model=words&start=sketch", "#model=digits&sampler=dpm&steps=3&draw"]) {
            await visitor.open(`${site.url}${path}${hash}`);
            if (hash.endsWith("draw")) await visitor.drawn();
            await visitor.waitFor("the plots", () => document.querySelectorAll(".plot svg").length === 2);
            await page.evaluate(axe);
            const { violations } = await page.evaluate(() => globalThis.axe.run("main"));
            const found = violations.map(({ id, impact, nodes }) => `${id} (${impact}): ${nodes[0].html}`);
            assert.deepEqual(found, [], hash);
          }
        });
      });
    }
  }

  test("narrow and wide, nothing reaches over the edge, and the parts do not lie on each other", async () => {
    for (const viewport of [
      { width: 320, height: 640 },
      PHONE,
      { width: 899, height: 700 },
      { width: 900, height: 700 },
      DESK,
    ]) {
      await visit({ viewport }, async (visitor) => {
        for (const hash of ["#model=words&start=sketch", "#model=digits&sampler=dpm"]) {
          await visitor.open(`${site.url}playground.html${hash}`);
          await visitor.waitFor("the plots", () => document.querySelectorAll(".plot svg").length === 2);
          const { over, boxes } = await visitor.evaluate(() => ({
            over: document.documentElement.scrollWidth - innerWidth,
            boxes: [...document.querySelectorAll(".playground > *")].map((element) => {
              const { left, top, right, bottom } = element.getBoundingClientRect();
              return { name: element.className, left, top, right, bottom };
            }),
          }));
          assert.ok(over <= 0, `${over} pixels too wide at ${viewport.width}`);
          for (const a of boxes) {
            for (const b of boxes) {
              const isApart = a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
              assert.ok(a === b || isApart, `${a.name} lies on ${b.name} at ${viewport.width}`);
            }
          }
        }
      });
    }
  });

  test("by Tab alone one gets from the prompt through the canvas to the last control", async () => {
    await visit({}, async (visitor, page) => {
      await visitor.open(`${site.url}playground.html#model=words&start=sketch`);
      await visitor.focus("#pg-prompt");
      const seen = [];
      for (let i = 0; i < 60 && seen.at(-1) !== "PRE"; i++) {
        await page.keyboard.press("Tab");
        seen.push(await page.evaluate(() => document.activeElement.id || document.activeElement.tagName));
      }
      for (const stop of ["CANVAS", "pg-strength", "pg-seed", "pg-steps", "pg-eta", "PRE"])
        assert.ok(seen.includes(stop), stop);
    });
  });

  test("on a phone, Draw brings the picture into view, and the focus stays on the button", async () => {
    await visit({ viewport: { width: 390, height: 664 }, reducedMotion: "reduce" }, async (visitor, page) => {
      await visitor.open(`${site.url}playground.html#model=digits&steps=4`);
      await visitor.focus(".main");
      await page.keyboard.press("Enter");
      await visitor.drawn();
      const { bottom, active } = await visitor.evaluate(() => ({
        bottom: document.querySelector(".stage").getBoundingClientRect().bottom - innerHeight,
        active: document.activeElement.textContent.trim(),
      }));
      assert.ok(bottom <= 0, `${bottom} pixels of the picture are below the screen`);
      assert.equal(active, "Draw");
    });
  });

  test("in the other language the settings stay, and the picture is drawn to the bit", async () => {
    await visit({}, async (visitor) => {
      await visitor.open(`${site.url}playground.html#model=digits&steps=4`);
      await visitor.click("text=7");
      await visitor.click("text=Draw");
      await visitor.drawn();
      const pixels = await visitor.pixels();
      await visitor.evaluate(() => document.querySelector(".VPNavBarTranslations a").click());
      await visitor.waitFor("the Chinese page", () => location.pathname.endsWith("/zh/playground.html"));
      await visitor.ready();
      assert.match(await visitor.address(), /#model=digits&steps=4&draw$/);
      await visitor.drawn();
      assert.deepEqual(await visitor.pixels(), pixels);
    });
  });

  test("a model that does not come: words, and another try", async () => {
    const refused = [/Failed to load resource/];
    await visit(
      {},
      async (visitor, page) => {
        await page.context().route("**/*.onnx", (route) => route.abort());
        await visitor.open(`${site.url}playground.html#model=digits&steps=3&draw`);
        await assert.rejects(visitor.drawn(), /digits-unet\.onnx could not be read/);
        assert.equal(
          await visitor.evaluate(() => document.querySelector("[role=alert] p").textContent),
          "The picture could not be drawn.",
        );
        await page.context().unroute("**/*.onnx");
        await visitor.click("text=Try again");
        await visitor.waitFor("another try", () => !document.querySelector(".failure"));
        await visitor.drawn();
      },
      refused,
    );
  });

  test("a browser without WebAssembly is told, and so is one whose settings do not fit", async () => {
    await visit({}, async (visitor, page) => {
      await page.addInitScript(() => delete globalThis.WebAssembly);
      await visitor.open(`${site.url}playground.html#model=digits&steps=3&draw`);
      await assert.rejects(visitor.drawn(), /WebAssembly is switched off/);
    });
    await visit({}, async (visitor) => {
      await visitor.open(`${site.url}playground.html#model=words&sampler=lcm&steps=50&start=sketch&strength=0.5`);
      const reason = () => document.querySelector(".ask > [role=status]")?.textContent;
      assert.match(await visitor.waitFor("the reason", reason), /^These settings do not go together: .*25/);
      assert.equal(await visitor.evaluate(() => document.querySelector(".brand").ariaDisabled), "true");
      assert.equal(await visitor.evaluate(() => document.querySelector("#pg-eta").disabled), true);
      assert.match(await visitor.text("#pg-eta-hint"), /no eta/);
      assert.match(await visitor.text("#pg-spacing-hint"), /way of its own/);
    });
  });

  test("the plots show the timesteps of the run, as diffusers spreads them", async () => {
    await visit({}, async (visitor) => {
      for (const [hash, timesteps] of [
        ["#model=digits&steps=4", "750, 500, 250, 0"],
        ["#model=digits&steps=4&spacing=trailing", "999, 749, 499, 249"],
        ["#model=words&steps=4&spacing=linspace", "999, 666, 333, 0"],
        ["#model=digits&steps=4&start=sketch&strength=0.5", "250, 0"],
      ]) {
        await visitor.open(`${site.url}playground.html${hash}`);
        await visitor.waitFor("the text", () => document.querySelector(".schedule > .pg-hint:last-child").textContent);
        const text = await visitor.text(".schedule > .pg-hint:last-child");
        assert.ok(text.includes(` timesteps: ${timesteps}. `), text);
        await visitor.waitFor(
          "the dots",
          (count) => document.querySelectorAll(".plot circle").length === 2 * count,
          timesteps.split(",").length,
        );
      }
    });
  });

  test("a sketch, what not to draw and another sampler, and a mask over that: as Node draws them", async (t) => {
    await visit({}, async (visitor) => {
      const sketch = new Uint8Array(64 * 64);
      paintSpot(sketch, { x: 32, y: 32 }, 30, 6);
      const mask = new Uint8Array(64 * 64);
      paintSpot(mask, { x: 40, y: 40 }, 20, 1);
      const settings = {
        ...DEFAULTS.words,
        prompt: "a circle",
        negative: "red",
        guidance: 3.5,
        sampler: "dpm",
        spacing: "linspace",
        steps: 6,
        start: "sketch",
        strength: 0.8,
        sketch: encodePixels(sketch),
      };
      const under = await drawWords(settings, { image: colourPixels(sketch, PALETTES.words) });
      const over = {
        ...DEFAULTS.words,
        prompt: "a green star",
        steps: 4,
        eta: 1,
        seed: 5,
        start: "mask",
        strength: 1,
        mask: encodePixels(mask),
        over: writeSettings(settings),
      };
      const masked = await drawWords(over, { image: under.picture, mask: maskPixels(mask) });
      for (const [each, { picture }] of [
        [settings, under],
        [over, masked],
      ]) {
        await visitor.open(`${site.url}playground.html#${writeSettings(each)}&draw`);
        await visitor.drawn();
        const expected = picture.data.filter((_, i) => i % 4 < 3);
        const pixels = await visitor.pixels();
        const off = pixels.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i])), 0);
        t.diagnostic(`${each.start}: ${off} of 255 from Node`);
        assert.ok(off <= 2, `${each.start} differs by ${off}`);
      }
    });
  });

  test("by finger, and a mask by keyboard", async () => {
    await visit({ viewport: PHONE, hasTouch: true, isMobile: true }, async (visitor, page) => {
      await visitor.open(`${site.url}playground.html#model=words&start=sketch`);
      const { left, top, width } = await visitor.find(".paper canvas");
      await page.touchscreen.tap(left + width / 4, top + width / 4);
      await visitor.waitFor("the link", () => location.hash.includes("sketch="));
      const { sketch } = readSettings(new URL(await visitor.address()).hash.slice(1));
      assert.equal(decodePixels(sketch, 64, 10)[64 * 16 + 16], 1);

      await visitor.click("text=A masked picture");
      await visitor.find(".paper canvas");
      await visitor.focus(".paper canvas");
      await visitor.press(...Array(32).fill("ArrowRight"), ...Array(32).fill("ArrowDown"), " ");
      await visitor.waitFor("the link", () => location.hash.includes("mask="));
      const { mask, over } = readSettings(new URL(await visitor.address()).hash.slice(1));
      const marked = decodePixels(mask, 64, 2);
      assert.deepEqual([marked[64 * 62 + 62], marked[64 * 32 + 32]], [1, 0]);
      assert.equal(over, "model=words", "the example's link");
    });
  });

  test("the file has the picture's pixels, and the copied link its address", async () => {
    const context = await site.browser.newContext({
      viewport: DESK,
      permissions: ["clipboard-read", "clipboard-write"],
    });
    const page = await context.newPage();
    const visitor = new Visitor(page);
    await visitor.open(`${site.url}playground.html#model=digits&digit=2&steps=4&draw`);
    await visitor.drawn();
    const [download] = await Promise.all([page.waitForEvent("download"), visitor.click("text=Download PNG")]);
    const { data, width, channels } = decode(readFileSync(await download.path()));
    assert.equal(width, 256);
    const pixels = await visitor.pixels();
    for (let i = 0; i < 32 * 32; i++) {
      const [x, y] = [8 * (i % 32) + 3, 8 * Math.floor(i / 32) + 5];
      assert.equal(data[channels * (256 * y + x)], pixels[3 * i]);
    }
    await visitor.click("text=Copy link");
    await visitor.waitFor("the copy", () => document.querySelector(".actions .pg-hint").textContent === "Copied.");
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), await visitor.address());
    await context.close();
  });

  test("how soon it is usable", async (t) => {
    await visit({}, async (visitor, page) => {
      await page.addInitScript(() => {
        new MutationObserver((_, observer) => {
          if (!document.querySelector(".stage canvas")) return;
          globalThis.usableAfter = performance.now();
          observer.disconnect();
        }).observe(document, { childList: true, subtree: true });
      });
      await visitor.open(`${site.url}playground.html`);
      const after = await visitor.waitFor("the example", () => globalThis.usableAfter);
      t.diagnostic(`usable ${(after / 1000).toFixed(2)} s after a cold load`);
      assert.ok(after > 0);
    });
  });

  test("under /ddim-wasm/ it draws too, and asks for nothing outside", async () => {
    const folder = buildFor("/ddim-wasm/", mkdtempSync(join(tmpdir(), "playground-")));
    const based = await serve(folder, "/ddim-wasm/");
    try {
      await visit({}, async (visitor) => {
        await visitor.open(`${based.url}playground.html#model=words&steps=2&draw`);
        await visitor.drawn();
        for (const url of visitor.requests) {
          assert.ok(/^(about|data|blob):/.test(url) || url.startsWith(based.url) || url.endsWith("/favicon.ico"), url);
        }
      });
    } finally {
      await based.close();
      rmSync(folder, { recursive: true });
    }
  });
});
