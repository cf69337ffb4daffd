// The three engines, driven alike: Chromium by playwright, Firefox by puppeteer over WebDriver BiDi, WebKit by its own
// WebDriver. playwright drives no Firefox and no WebKit but those that it downloads.

import { existsSync } from "node:fs";
import { chromium } from "playwright-core";
import { launch as launchFirefox } from "puppeteer-core";
import { CHROMIUM, CHROMIUM_ARGS } from "../../tests/runtimes/engines/chromium.js";
import { webkit } from "../../tests/runtimes/engines/webkit.js";

const FIREFOX = process.env.FIREFOX ?? "/usr/bin/firefox-esr";

export const launchChromium = () => chromium.launch({ executablePath: CHROMIUM, args: CHROMIUM_ARGS });

/** Each opens a browser with a page of 1100 x 800, or what its window has. */
export const BROWSERS = [
  {
    name: "Chromium",
    file: CHROMIUM,
    async open() {
      const browser = await launchChromium();
      return { browser, page: await browser.newPage({ viewport: { width: 1100, height: 800 } }) };
    },
  },
  {
    name: "Firefox",
    file: FIREFOX,
    async open() {
      const browser = await launchFirefox({ browser: "firefox", executablePath: FIREFOX, headless: true });
      const page = await browser.newPage();
      await page.setViewport({ width: 1100, height: 800 });
      return { browser, page };
    },
  },
  webkit,
].map((browser) => ({ ...browser, skip: whyNot(browser.file) }));

/** A missing browser is skipped, with the reason, where a person works; in CI all have to be there. */
function whyNot(file) {
  if (existsSync(file)) return false;
  const reason = `there is no ${file}`;
  if (process.env.CI) throw new Error(reason);
  return reason;
}

/** How long a page or a picture may take on a busy machine, in milliseconds. */
export const PATIENCE = 120_000;

/** What a visitor does, in any of the browsers. */
export class Visitor {
  #page;
  /** What the console has said. */
  #complaints = [];
  /** The addresses that were asked for. */
  requests = [];

  constructor(page) {
    this.#page = page;
    page.on("pageerror", (error) => this.#complaints.push(error.message));
    page.on("console", (message) => {
      const { url } = typeof message.location === "function" ? message.location() : message.location;
      const isIcon = url?.endsWith("/favicon.ico");
      if (!isIcon && ["error", "warning", "warn"].includes(message.type())) this.#complaints.push(message.text());
    });
    page.on("request", (request) => this.requests.push(request.url()));
  }

  evaluate(work, ...args) {
    // playwright takes one argument.
    return this.#page.evaluate.length <= 2 && this.#page.context
      ? this.#page.evaluate(`(${work})(...${JSON.stringify(args)})`)
      : this.#page.evaluate(work, ...args);
  }

  /** What the console has said on all pages: errors and warnings. */
  async complaints() {
    this.#complaints.push(...(await this.evaluate(() => globalThis.complaints?.splice(0) ?? [])));
    return this.#complaints;
  }

  /** Until `work` in the page gives something true. */
  waitFor(what, work, ...args) {
    return this.waitUntil(what, () => this.evaluate(work, ...args));
  }

  /** Until `check` gives something true. */
  async waitUntil(what, check) {
    const start = Date.now();
    for (;;) {
      const answer = await check();
      if (answer) return answer;
      if (Date.now() - start > PATIENCE) throw new Error(`waited in vain for ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Opens an address in a new document, also where only what is after the # differs. */
  async open(url) {
    await this.complaints();
    await this.#page.goto("about:blank");
    await this.#page.goto(url);
    await this.ready();
  }

  async reload() {
    await this.complaints();
    await this.#page.reload();
    await this.ready();
  }

  back() {
    return this.#page.goBack();
  }

  /** Until the page has its example, which comes after the controls work. */
  ready() {
    return this.waitFor("the page", () => document.querySelector(".stage canvas, .playground progress") !== null);
  }

  /** The middle of an element, which is scrolled into view; of text, the smallest element that has just that text. */
  async find(target) {
    const place = (target) => {
      const byText = (text) =>
        [...document.querySelectorAll("main button, main label, main summary, main span")]
          .filter((element) => element.textContent.trim() === text)
          .at(-1);
      const element = target.startsWith("text=") ? byText(target.slice(5)) : document.querySelector(target);
      if (!element) return null;
      element.scrollIntoView({ block: "center", behavior: "instant" });
      const { left, top, width, height } = element.getBoundingClientRect();
      return { left, top, width, height };
    };
    await this.waitFor(target, place, target);
    return this.evaluate(place, target);
  }

  async click(target) {
    const { left, top, width, height } = await this.find(target);
    const { mouse } = this.#page;
    await mouse.move(left + width / 2, top + height / 2);
    await mouse.down();
    await mouse.up();
  }

  /** Drags over an element, from and to shares of its width and height. */
  async drag(target, from, to) {
    const { left, top, width, height } = await this.find(target);
    const { mouse } = this.#page;
    const at = (share, i, n) => from[share] + ((to[share] - from[share]) * i) / n;
    for (let i = 0; i <= 5; i++) {
      await mouse.move(left + at(0, i, 5) * width, top + at(1, i, 5) * height);
      if (i === 0) await mouse.down();
    }
    await mouse.up();
  }

  /** Presses keys one after another; "Shift+ArrowLeft" holds the first. */
  async press(...keys) {
    const { keyboard } = this.#page;
    for (const key of keys) {
      const held = key.split("+");
      for (const each of held) await keyboard.down(each);
      for (const each of held.reverse()) await keyboard.up(each);
    }
  }

  focus(selector) {
    return this.evaluate((selector) => document.querySelector(selector).focus(), selector);
  }

  /** Until the drawing is over. */
  async drawn() {
    const phase = () => {
      const failure = document.querySelector(".failure .words");
      if (failure) return `failed: ${failure.textContent}`;
      return /^(Done\.|完成。)$/.test(document.querySelector(".line p")?.textContent) && "done";
    };
    const answer = await this.waitFor("the drawing", phase);
    if (answer !== "done") throw new Error(answer);
  }

  /** The red, green and blue values of the picture that is shown in large; null while there is none. */
  pixels() {
    return this.evaluate(() => {
      const canvas = document.querySelector(".stage canvas");
      if (!canvas) return null;
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      return Array.from(data).filter((_, i) => i % 4 < 3);
    });
  }

  text(selector) {
    return this.evaluate((selector) => document.querySelector(selector)?.textContent.trim() ?? null, selector);
  }

  address() {
    return this.evaluate(() => location.href);
  }
}
