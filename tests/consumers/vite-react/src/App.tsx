import { DDIMScheduler } from "ddim-wasm";
import { useEffect, useState } from "react";

const scheduler = new DDIMScheduler({ betaSchedule: "linear", clipSample: false });

export default function App() {
  const [result, setResult] = useState<Float32Array | null>(null);
  useEffect(() => {
    scheduler.setTimesteps(4);
    const sample = Float32Array.of(1, -0.5, 0.25);
    setResult(scheduler.step(Float32Array.of(0.5, 0.25, -1), sample, 500));
  }, []);
  return result && <title>{`result ${result.join(" ")}`}</title>;
}
