import { test } from "uvu";
import * as assert from "uvu/assert";
import { halfToNumber } from "./binary16.js";
import { implementations } from "./implementations.js";
import { normalTensor } from "./tensors.js";

const { latentToRgb, SD1_LATENT_RGB, SDXL_LATENT_RGB } = implementations.simd;

// As they were published: one row for each latent channel, and one for each colour.
const SD1 = [
  [0.298, 0.207, 0.208],
  [0.187, 0.286, 0.173],
  [-0.158, 0.189, 0.264],
  [-0.184, -0.271, -0.473],
];
const SDXL = [
  [60, -60, 25, -70],
  [60, -5, 15, -50],
  [60, 10, -5, -35],
];
const SDXL_BIAS = [150, 140, 130];

const clampByte = (value: number): number => new Uint8ClampedArray([value])[0]!;

for (const type of ["float32", "float16"] as const) {
  test(`pixels are the published combinations of ${type} latents`, () => {
    const latents = normalTensor(1, [2, 4, 5, 6], type);
    const values = type === "float16" ? Array.from(latents.data, halfToNumber) : Array.from(latents.data);
    for (const element of [0, 1]) {
      const channels = (pixel: number) => [0, 1, 2, 3].map((channel) => values[(element * 4 + channel) * 30 + pixel]!);
      const sd1 = latentToRgb(latents, SD1_LATENT_RGB, { element });
      const sdxl = latentToRgb(latents, SDXL_LATENT_RGB, { element });
      assert.equal([sd1.width, sd1.height, sd1.data.length], [6, 5, 120]);
      for (let pixel = 0; pixel < 30; pixel++) {
        for (let color = 0; color < 3; color++) {
          const inUnits = channels(pixel).reduce((sum, value, channel) => sum + value * SD1[channel]![color]!, 0);
          assert.ok(Math.abs(sd1.data[4 * pixel + color]! - clampByte(((inUnits + 1) / 2) * 255)) <= 1);
          const inBytes = channels(pixel).reduce((sum, value, channel) => sum + value * SDXL[color]![channel]!, 0);
          assert.ok(Math.abs(sdxl.data[4 * pixel + color]! - clampByte(inBytes + SDXL_BIAS[color]!)) <= 1);
        }
        assert.is(sd1.data[4 * pixel + 3], 255);
      }
    }
    const alone = latentToRgb({ data: latents.data.slice(0, 120), dims: [4, 5, 6] }, SD1_LATENT_RGB);
    assert.equal(alone, latentToRgb(latents, SD1_LATENT_RGB));
  });
}

test("what does not fit is refused", () => {
  const latents = normalTensor(1, [2, 4, 5, 6]);
  const cases: [() => unknown, RegExp][] = [
    [() => latentToRgb(normalTensor(1, [4, 5]), SD1_LATENT_RGB), /"latents" expected dims \[batch, channels/],
    [() => latentToRgb(normalTensor(1, [3, 5, 6]), SD1_LATENT_RGB), /"factors.weights" expected 3 rows/],
    [() => latentToRgb(latents, {} as never), /"factors" expected { weights, bias }/],
    [() => latentToRgb(latents, SD1_LATENT_RGB, { element: 2 }), /"element" expected an integer in \[0, 1\], got 2/],
    [() => latentToRgb(latents, SD1_LATENT_RGB, { index: 2 } as never), /has no option "index"/],
  ];
  for (const [call, message] of cases) assert.throws(call, message);
});

test("a picture that no memory holds is refused by name", () => {
  const latents = { data: new Float32Array(0), dims: [0, 1e9, 1e9] };
  assert.throws(() => latentToRgb(latents, { weights: [], bias: [0, 0, 0] }), /^"latents" expected fewer elements/);
});

test("factors are read once, before the latents", () => {
  const latents = normalTensor(1, [4, 5, 6]);
  const expected = latentToRgb(latents, SD1_LATENT_RGB);
  let reads = 0;
  const factors = {
    get weights() {
      return reads++ === 0 ? SD1_LATENT_RGB.weights : [];
    },
    bias: SD1_LATENT_RGB.bias,
  };
  assert.equal(latentToRgb(latents, factors), expected);
  assert.is(reads, 1);
  const lost = {
    ...SD1_LATENT_RGB,
    get weights() {
      structuredClone(latents.data.buffer, { transfer: [latents.data.buffer] });
      return SD1_LATENT_RGB.weights;
    },
  };
  assert.throws(() => latentToRgb(latents, lost), /"latents.*detached array/);
});

test.run();
