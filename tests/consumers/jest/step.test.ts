import { DDIMScheduler } from "ddim-wasm";
import { expect, test } from "@jest/globals";

test("a step", () => {
  const scheduler = new DDIMScheduler({ betaSchedule: "linear", clipSample: false });
  scheduler.setTimesteps(4);
  const sample: Float32Array = Float32Array.of(1, -0.5, 0.25);
  const modelOutput: Float32Array = Float32Array.of(0.5, 0.25, -1);
  const result = scheduler.step(modelOutput, sample, 500);
  expect(result).toBeInstanceOf(Float32Array);
  process.stdout.write(`result ${result.join(" ")}\n`);
});
