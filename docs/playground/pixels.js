// Painted pictures: each pixel is the number of a colour. The same strokes give the same pixels in every browser, and a
// short text holds them.

/** The colours to paint with: those that the model of words knows, and greys for digits. The first is the paper. */
export const PALETTES = {
  words: [
    ["white", 255, 255, 255],
    ["black", 20, 20, 20],
    ["red", 220, 40, 40],
    ["orange", 245, 140, 30],
    ["yellow", 245, 215, 50],
    ["green", 50, 160, 70],
    ["blue", 45, 90, 215],
    ["purple", 130, 60, 180],
    ["pink", 245, 140, 185],
    ["brown", 125, 80, 45],
  ],
  digits: [
    ["black", 0, 0, 0],
    ["white", 255, 255, 255],
    ["grey", 128, 128, 128],
  ],
};

/**
 * Paints a round spot.
 *
 * @param {Uint8Array} pixels of a square picture
 * @param {{ x: number, y: number }} centre in pixels
 * @param {number} width of the spot, in pixels
 * @param {number} colour
 */
export function paintSpot(pixels, { x, y }, width, colour) {
  const size = Math.sqrt(pixels.length);
  const reach = width / 2;
  for (let row = Math.max(0, Math.floor(y - reach)); row < Math.min(size, y + reach); row++) {
    for (let column = Math.max(0, Math.floor(x - reach)); column < Math.min(size, x + reach); column++) {
      if (Math.hypot(column + 0.5 - x, row + 0.5 - y) <= reach) pixels[row * size + column] = colour;
    }
  }
}

/** Paints a line of such spots, a pixel apart at most. */
export function paintLine(pixels, from, to, width, colour) {
  const spots = Math.max(1, Math.ceil(Math.hypot(to.x - from.x, to.y - from.y)));
  for (let i = 0; i <= spots; i++) {
    const share = i / spots;
    const centre = { x: from.x + share * (to.x - from.x), y: from.y + share * (to.y - from.y) };
    paintSpot(pixels, centre, width, colour);
  }
}

/**
 * @param {Uint8Array} pixels
 * @returns {string} runs of a colour: how many pixels (none for one), and its letter; "" for an empty picture
 */
export function encodePixels(pixels) {
  if (pixels.every((colour) => colour === 0)) return "";
  let text = "";
  for (let at = 0, end; at < pixels.length; at = end) {
    end = at + 1;
    while (end < pixels.length && pixels[end] === pixels[at]) end++;
    text += (end - at > 1 ? end - at : "") + String.fromCharCode(97 + pixels[at]);
  }
  return text;
}

/**
 * @param {string} text as encodePixels makes it
 * @param {number} size width and height
 * @param {number} colours how many there are
 * @returns {Uint8Array} an empty picture for a text that does not fit
 */
export function decodePixels(text, size, colours) {
  const pixels = new Uint8Array(size * size);
  let at = 0;
  for (const [, count, letter] of text.matchAll(/(\d*)([a-z])/g)) {
    const colour = letter.charCodeAt(0) - 97;
    const end = at + Number(count || 1);
    if (colour >= colours || end > pixels.length) return new Uint8Array(size * size);
    pixels.fill(colour, at, end);
    at = end;
  }
  return at === pixels.length ? pixels : new Uint8Array(size * size);
}

/**
 * @param {Uint8Array} pixels
 * @param {(readonly [string, number, number, number])[]} palette
 * @returns {{ data: Uint8ClampedArray, width: number, height: number }} RGBA
 */
export function colourPixels(pixels, palette) {
  const size = Math.sqrt(pixels.length);
  const data = new Uint8ClampedArray(4 * pixels.length);
  pixels.forEach((colour, i) => {
    const [, ...rgb] = palette[colour];
    data.set([...rgb, 255], 4 * i);
  });
  return { data, width: size, height: size };
}

/** A mask as the models take it: one channel, white where it is painted. */
export function maskPixels(pixels) {
  const size = Math.sqrt(pixels.length);
  return { data: pixels.map((painted) => (painted ? 255 : 0)), width: size, height: size };
}
