import { DDIMScheduler } from "ddim-wasm";

const scheduler = new DDIMScheduler({ betaSchedule: "linear", clipSample: false });
scheduler.setTimesteps(4);
const sample = Float32Array.of(1, -0.5, 0.25);
const modelOutput = Float32Array.of(0.5, 0.25, -1);
const result = scheduler.step(modelOutput, sample, 500);
document.title = `result ${result.join(" ")}`;
