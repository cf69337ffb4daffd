import { allocate, DDIMScheduler, Generator, init, type StepOptions } from "ddim-wasm";
import * as portable from "ddim-wasm/portable";

declare const console: { log(...values: unknown[]): void };

void init();
const scheduler = new DDIMScheduler({ betaSchedule: "linear", clipSample: false });
scheduler.setTimesteps(4);
const sample: Float32Array = Float32Array.of(1, -0.5, 0.25);
const options: StepOptions = { eta: 0 };
const { prevSample } = scheduler.step(Float32Array.of(0.5, 0.25, -1), sample, 500, { returnDict: true });
scheduler.step(new Generator(1).randn([1, 3]), allocate([1, 3]), 500, options);
new portable.Generator(1).randn([3]);
console.log("result", ...prevSample);
