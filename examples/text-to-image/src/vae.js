// Between pictures and latents, by the two halves of the VAE.

import { SD1_LATENT_RGB } from "ddim-wasm";

/**
 * @typedef {{ data: ArrayLike<number>, width: number, height: number }} Picture bytes, of as many channels as fit; an
 *   ImageData is one
 * @typedef {import("./network.js").Floats} Floats
 * @typedef {import("./network.js").Network} Network
 */

/**
 * Latents of an image, one for each generator: drawn from the normal distributions that the encoder gives.
 *
 * @param {Network} encoder
 * @param {Picture} image
 * @param {import("ddim-wasm").Generator[]} generators
 * @param {number} scaling
 * @returns {Promise<Floats>}
 */
export async function encodeImage(encoder, { data, width, height }, generators, scaling) {
  const pixels = width * height;
  const channels = data.length / pixels;
  const sample = Float32Array.from({ length: 3 * pixels }, (_, i) => {
    return data[(i % pixels) * channels + Math.floor(i / pixels)] / 127.5 - 1;
  });
  const moments = await encoder.run({ sample: { data: sample, dims: [1, 3, height, width] } });
  const [, twice, ...size] = moments.dims;
  const length = moments.data.length / 2;
  const latents = new Float32Array(generators.length * length);
  generators.forEach((generator, k) => {
    const noise = generator.randn([1, twice / 2, ...size]).data;
    for (let i = 0; i < length; i++) {
      const deviation = Math.exp(Math.min(Math.max(moments.data[length + i], -30), 20) / 2);
      latents[k * length + i] = (moments.data[i] + deviation * noise[i]) * scaling;
    }
  });
  return { data: latents, dims: [generators.length, twice / 2, ...size] };
}

/**
 * Pictures of latents, one after another: the decoder is what takes the most memory.
 *
 * @param {Network} decoder
 * @param {Floats} latents
 * @param {number} scaling
 * @returns {Promise<Picture[]>} RGBA
 */
export async function decodeLatents(decoder, { data, dims }, scaling) {
  const length = data.length / dims[0];
  const pictures = [];
  for (let at = 0; at < data.length; at += length) {
    const sample = data.subarray(at, at + length).map((value) => value / scaling);
    const colours = await decoder.run({ latent_sample: { data: sample, dims: [1, ...dims.slice(1)] } });
    const [height, width] = colours.dims.slice(2);
    const pixels = width * height;
    const rgba = new Uint8ClampedArray(4 * pixels).fill(255);
    colours.data.forEach((value, i) => {
      rgba[4 * (i % pixels) + Math.floor(i / pixels)] = (value / 2 + 0.5) * 255;
    });
    pictures.push({ data: rgba, width, height });
  }
  return pictures;
}

/**
 * How latents look without the decoder: what it makes of each channel alone, on a few pixels.
 *
 * @param {Network} decoder
 * @param {number} channels
 * @param {number} scaling
 * @returns {Promise<import("ddim-wasm").LatentRgbFactors>}
 */
export async function fitLatentRgb(decoder, channels, scaling) {
  if (decoder.dimsOf("latent_sample").slice(2).some(Number.isInteger)) return SD1_LATENT_RGB;
  const size = 8;
  const probe = async (channel, value) => {
    const data = new Float32Array(channels * size * size);
    data.fill(value, channel * size * size, (channel + 1) * size * size);
    const [picture] = await decodeLatents(decoder, { data, dims: [1, channels, size, size] }, scaling);
    return [0, 1, 2].map((colour) => {
      const values = picture.data.filter((_, i) => i % 4 === colour);
      return values.reduce((sum, v) => sum + v, 0) / values.length;
    });
  };
  const weights = [];
  for (let channel = 0; channel < channels; channel++) {
    const [more, less] = [await probe(channel, 1), await probe(channel, -1)];
    weights.push(more.map((value, i) => (value - less[i]) / 2));
  }
  return { weights, bias: await probe(0, 0) };
}

/**
 * A mask at the size of latents, by nearest neighbour: 1 where its first channel is white, else 0.
 *
 * @param {Picture} mask
 * @param {readonly number[]} dims of the latents
 * @returns {Floats}
 */
export function shrinkMask({ data, width, height }, dims) {
  const channels = data.length / (width * height);
  const [rows, columns] = dims.slice(2);
  const shrunk = Float32Array.from({ length: rows * columns }, (_, i) => {
    const y = Math.floor((Math.floor(i / columns) * height) / rows);
    const x = Math.floor(((i % columns) * width) / columns);
    return data[(y * width + x) * channels] >= 127.5 ? 1 : 0;
  });
  return { data: shrunk, dims: [1, 1, rows, columns] };
}
