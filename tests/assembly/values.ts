// Values for the specs: an unremarkable sequence, the same every time.

let seed: u32 = 1;

/** Starts the sequence again. */
export function restart(): void {
  seed = 1;
}

/** A float in [-2, 2). */
export function nextValue(): f32 {
  seed = seed * 1664525 + 1013904223;
  return (<f32>(seed >> 8) / 16777216.0 - 0.5) * 4;
}
