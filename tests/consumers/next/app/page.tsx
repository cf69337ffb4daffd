"use client";

import { DDIMScheduler } from "ddim-wasm";
import { useEffect } from "react";

export default function Page() {
  useEffect(() => {
    const scheduler = new DDIMScheduler({ betaSchedule: "linear", clipSample: false });
    scheduler.setTimesteps(4);
    const sample = Float32Array.of(1, -0.5, 0.25);
    const result = scheduler.step(Float32Array.of(0.5, 0.25, -1), sample, 500);
    document.title = `result ${result.join(" ")}`;
  }, []);
  return <main>A step is made on the page.</main>;
}
