import { DDIMScheduler } from "ddim-wasm";

test("a step", () => {
  const scheduler = new DDIMScheduler({ betaSchedule: "linear", clipSample: false });
  scheduler.setTimesteps(4);
  const sample = Float32Array.of(1, -0.5, 0.25);
  const result = scheduler.step(Float32Array.of(0.5, 0.25, -1), sample, 500);
  expect(result).toBeInstanceOf(Float32Array);
  process.stdout.write(`result ${result.join(" ")}\n`);
});
