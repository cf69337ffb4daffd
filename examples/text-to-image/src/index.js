// Draws what a prompt says into a PNG file.

import { writeFileSync } from "node:fs";
import { basename, parse } from "node:path";
import { Presets, SingleBar } from "cli-progress";
import engine from "onnxruntime-node";
import { readOptions } from "./command-line.js";
import { isFolder, readerOf } from "./folders.js";
import { openRepository } from "./hub.js";
import { readMask, readPicture } from "./pictures.js";
import { encodePicture } from "./png.js";
import { StableDiffusion } from "./stable-diffusion.js";

try {
  const options = readOptions(process.argv.slice(2));
  if (options.help) console.log(options.help);
  else await draw(options);
} catch (error) {
  const [line] = error.message.split("\n");
  console.error(`error: ${line}`);
  process.exitCode = 1;
}

async function draw({ prompt, model: name, dtype, size, image, mask, out, ...options }) {
  const read = (await isFolder(name)) ? readerOf(name) : await openRepository(name);
  // 4: onnxruntime's own lines are of no use to who draws; its errors come as exceptions all the same.
  const model = await StableDiffusion.load(read, { engine, dtype, sessionOptions: { logSeverityLevel: 4 } });
  const { width, height } = size ?? { width: model.size, height: model.size };
  const settings = {
    ...pick(options, ["steps", "guidance", "rescale", "sampler", "spacing", "precision", "eta", "strength"]),
    negativePrompt: options.negative,
    width,
    height,
  };
  model.checkSize(settings);
  const inputs = {
    image: image && (await named("image", image, readPicture(image, { width, height }))),
    mask: mask && (await named("mask", mask, readMask(mask, { width, height }))),
  };

  const bar = new SingleBar({ format: "drawing {bar} step {value} of {total}" }, Presets.shades_classic);
  const files = [];
  const seconds = {};
  try {
    for (let i = 0; i < options.count; i++) {
      const seed = options.seed + BigInt(i);
      const drawn = await model.draw({
        ...settings,
        ...inputs,
        prompt,
        seed,
        onStep: ({ step, total }) => {
          if (i === 0 && step === 0) bar.start(total * options.count, 0);
          bar.increment();
        },
      });
      for (const [part, time] of Object.entries(drawn.seconds)) seconds[part] = (seconds[part] ?? 0) + time;
      const all = { prompt, ...settings, sampler: drawn.sampler, seed: String(seed), model: basename(name) };
      files.push([numbered(out, i, options.count), encodePicture(drawn.pictures[0], prompt, all)]);
    }
  } finally {
    bar.stop();
  }

  for (const [file, bytes] of files) {
    writeFileSync(file, bytes);
    console.log(file);
  }
  const times = Object.entries(seconds).map(([part, time]) => `${part} ${time.toFixed(3)} s`);
  console.log(times.join(", "));
}

/** star.png, or star-1.png, star-2.png, ... where there are several. */
function numbered(file, i, count) {
  if (count === 1) return file;
  const { dir, name, ext } = parse(file);
  return `${dir}/${name}-${i + 1}${ext}`;
}

async function named(option, file, work) {
  try {
    return await work;
  } catch (error) {
    throw new Error(`--${option} ${JSON.stringify(file)}: ${error.message}`, { cause: error });
  }
}

function pick(object, names) {
  return Object.fromEntries(names.map((name) => [name, object[name]]));
}
