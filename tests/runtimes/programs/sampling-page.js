// A page as one writes it: it samples, shows the image, and prints.
import { DDIMScheduler, Generator, init, latentToRgb, SD1_LATENT_RGB } from "ddim-wasm";

await init();
const scheduler = new DDIMScheduler();
scheduler.setTimesteps(4);
let sample = new Generator(42).randn([1, 4, 8, 8]);
for (const t of scheduler.timesteps) sample = scheduler.step(sample, sample, t);

const { data, width, height } = latentToRgb(sample, SD1_LATENT_RGB);
const canvas = document.createElement("canvas");
canvas.getContext("2d").putImageData(new ImageData(data, width, height), 0, 0);
document.body.append(canvas);
document.title = `${sample.dims}: ${sample.data.subarray(0, 3)}`;
