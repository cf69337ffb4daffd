import { DDIMScheduler } from "ddim-wasm";

export default {
  async fetch() {
    const scheduler = new DDIMScheduler({ betaSchedule: "linear", clipSample: false });
    scheduler.setTimesteps(4);
    const sample = Float32Array.of(1, -0.5, 0.25);
    const result = scheduler.step(Float32Array.of(0.5, 0.25, -1), sample, 500);
    return new Response(`result ${result.join(" ")}`);
  },
};
