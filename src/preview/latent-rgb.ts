// A quick look at latents without their decoder: each pixel is a linear combination of its latent channels.

import { checkInteger, isRecord } from "../checks/checks.js";
import { outOfRange, wrongType } from "../checks/errors.js";
import { type Entries, OptionTable } from "../checks/options.js";
import { toFloats } from "../kernels/elementwise.js";
import { useInstance } from "../module/default.js";
import { allocateArray } from "../tensor/dtype.js";
import { readOperand, type TensorLike } from "../tensor/tensor.js";
import { part } from "../tensor/typed-array.js";

/** Red, green and blue in [0, 255]: `bias` plus the latent channels times their rows of `weights`. */
export interface LatentRgbFactors {
  /** One row of red, green and blue for each latent channel. */
  readonly weights: readonly (readonly [number, number, number])[];
  /** Red, green and blue where all latents are 0. */
  readonly bias: readonly [number, number, number];
}

type Color = LatentRgbFactors["bias"];

/**
 * Stable Diffusion 1.x: fitted by keturn for version 1.4, https://discuss.huggingface.co/t/23204/2, where pixels are in
 * [-1, 1].
 */
export const SD1_LATENT_RGB: LatentRgbFactors = /* @__PURE__ */ fromUnitRange([
  [0.298, 0.207, 0.208],
  [0.187, 0.286, 0.173],
  [-0.158, 0.189, 0.264],
  [-0.184, -0.271, -0.473],
]);

/**
 * Stable Diffusion XL: Timothy Alexis Vass, "Explaining the SDXL latent space",
 * https://huggingface.co/blog/TimothyAlexisVass/explaining-the-sdxl-latent-space.
 */
export const SDXL_LATENT_RGB: LatentRgbFactors = {
  weights: [
    [60, 60, 60],
    [-60, -5, 10],
    [25, 15, -5],
    [-70, -50, -35],
  ],
  bias: [150, 140, 130],
};

/** Factors for pixels in [0, 255], of weights for pixels in [-1, 1]. */
function fromUnitRange(weights: [number, number, number][]): LatentRgbFactors {
  return {
    weights: weights.map(([red, green, blue]) => [127.5 * red, 127.5 * green, 127.5 * blue]),
    bias: [127.5, 127.5, 127.5],
  };
}

/** An image as a canvas takes it: `new ImageData(data, width, height)`. */
export interface RgbaImage {
  /** Red, green, blue and alpha of each pixel, row by row. */
  data: InstanceType<typeof Uint8ClampedArray>;
  /** Pixels in a row. */
  width: number;
  /** Rows. */
  height: number;
}

/** Options of {@link latentToRgb}. */
export interface LatentToRgbOptions {
  /** Which batch element to show. Default 0. */
  element?: number | undefined;
}

const OPTIONS = /* @__PURE__ */ new OptionTable({ element: [0] } satisfies Entries<LatentToRgbOptions>);

/**
 * A small picture of latents, such as a step's `predOriginalSample`.
 *
 * @param latents [batch, channels, height, width], or without the batch; as the model sees them, that is scaled
 * @param factors {@link SD1_LATENT_RGB}, {@link SDXL_LATENT_RGB}, or a model's own
 * @param options `element`: which of the batch
 * @returns one pixel a latent, opaque
 * @throws TypeError or RangeError for arguments that do not fit
 * @example
 * import { latentToRgb, SD1_LATENT_RGB } from "ddim-wasm";
 * const { data, width, height } = latentToRgb(predOriginalSample, SD1_LATENT_RGB);
 */
export function latentToRgb(latents: TensorLike, factors: LatentRgbFactors, options?: LatentToRgbOptions): RgbaImage {
  const { element } = OPTIONS.read("options", options);
  const { weights, bias } = readFactors(factors);
  // The last to be read: code of the other arguments could change its memory.
  const operand = readOperand(useInstance(), latents, "latents");
  const dims = operand.dims ?? [];
  if (dims.length !== 3 && dims.length !== 4) {
    throw outOfRange("latents", "dims [batch, channels, height, width] or [channels, height, width]", dims);
  }
  const [channels, height, width] = dims.slice(-3) as [number, number, number];
  if (weights.length !== channels) {
    throw outOfRange("factors.weights", `${channels} rows, one for each channel of the latents`, weights.length);
  }

  const pixels = height * width;
  const batch = dims.length === 4 ? dims[0]! : 1;
  if (batch === 0) throw outOfRange("latents", "a batch of at least one", dims);
  const start = checkInteger("element", element, 0, batch - 1) * channels * pixels;
  const values = toFloats(useInstance(), part(operand.values, start, channels * pixels));
  const data = allocateArray(Uint8ClampedArray, 4 * pixels, "latents");
  for (let pixel = 0; pixel < pixels; pixel++) {
    for (let color = 0; color < 3; color++) {
      let value = bias[color]!;
      for (let channel = 0; channel < channels; channel++) {
        value += weights[channel]![color]! * values[channel * pixels + pixel]!;
      }
      data[4 * pixel + color] = value;
    }
    data[4 * pixel + 3] = 255;
  }
  return { data, width, height };
}

/** A copy of the factors. */
function readFactors(factors: unknown): LatentRgbFactors {
  const { weights, bias } = isRecord(factors) ? factors : {};
  // What is no array of rows becomes a row that is none.
  const rows = [bias].concat(weights).map(copyColor);
  if (rows.every((row) => row !== null)) return { bias: rows[0]!, weights: rows.slice(1) };
  throw wrongType("factors", "{ weights, bias }, with a row of three weights for each channel", factors);
}

/** A copy of three numbers; null for anything else. */
function copyColor(row: unknown): Color | null {
  const color = Array.isArray(row) ? [...row] : [];
  return color.length === 3 && color.every(Number.isFinite) ? (color as unknown as Color) : null;
}
