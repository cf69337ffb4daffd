import { DDIMScheduler } from "ddim-wasm";

const scheduler = new DDIMScheduler({ betaSchedule: "linear", clipSample: false });
scheduler.setTimesteps(4);

addEventListener("message", ({ data }: MessageEvent<{ modelOutput: Float32Array; sample: Float32Array }>) => {
  postMessage(scheduler.step(data.modelOutput, data.sample, 500));
});
