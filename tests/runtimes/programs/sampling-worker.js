import { DDIMScheduler, Generator } from "ddim-wasm";

addEventListener("message", ({ data: { seed, steps } }) => {
  const scheduler = new DDIMScheduler();
  scheduler.setTimesteps(steps);
  let sample = new Generator(seed).randn([1, 4, 8, 8]);
  for (const t of scheduler.timesteps) sample = scheduler.step(sample, sample, t);
  postMessage({ dims: sample.dims, data: sample.data }, [sample.data.buffer]);
});
