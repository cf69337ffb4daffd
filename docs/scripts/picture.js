// Takes the README's picture of the playground: docs/images/playground.png. The site has to be built.

import { statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { launchChromium, Visitor } from "../test/browsers.js";
import { serve } from "../test/server.js";

const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const site = await serve(path("../.vitepress/dist"), "/");
const browser = await launchChromium();
try {
  const page = await browser.newPage({ viewport: { width: 1120, height: 1200 }, deviceScaleFactor: 2 });
  const visitor = new Visitor(page);
  await visitor.open(`${site.url}playground.html#model=words&draw`);
  await visitor.drawn();
  await page.evaluate(() => scrollTo(0, 0));
  const { y } = await page.locator(".playground h1").boundingBox();
  const { y: end, height } = await page.locator(".times").boundingBox();
  const clip = { x: 0, y: y - 24, width: 1120, height: end + height - y + 28 };
  const shot = await page.screenshot({ clip });
  const file = path("../images/playground.png");
  await sharp(shot).png({ palette: true, colours: 64, dither: 0, effort: 10, compressionLevel: 9 }).toFile(file);
  console.log(`${file}: ${Math.round(statSync(file).size / 1000)} KB`);
} finally {
  await browser.close();
  await site.close();
}
