// A script as one writes it, for Node, Deno and Bun.
import { DDIMPipeline, DDIMScheduler, Generator } from "ddim-wasm";

const pipeline = new DDIMPipeline({
  scheduler: new DDIMScheduler(),
  model: (sample) => sample, // stands for a network
});
const sample = await pipeline.run({ dims: [1, 4, 8, 8], generator: new Generator(42), numInferenceSteps: 4 });
console.log(`${sample.dims}: ${sample.data.subarray(0, 3)}`);
