// Which timesteps an inference run visits, in numpy's arithmetic, so that the lists equal those of diffusers.

import type { DDIMSchedulerConfig } from "./config.js";
import { outOfRange, show, wrongType } from "./errors.js";

/** numpy.round: halves go to the even neighbour. For values >= 0. */
function roundHalfToEven(value: number): number {
  const below = Math.floor(value);
  return value - below === 0.5 ? below + (below % 2) : Math.round(value);
}

/** The descending timesteps of `steps` inference steps (arXiv 2305.08891, table 2). */
export function makeTimesteps(steps: unknown, config: DDIMSchedulerConfig): Int32Array {
  const total = config.numTrainTimesteps;
  if (typeof steps !== "number" || !Number.isInteger(steps) || steps < 1 || steps > total) {
    const expected = `an integer in [1, numTrainTimesteps = ${total}] or a list of timesteps`;
    throw typeof steps === "number" ? outOfRange("steps", expected, steps) : wrongType("steps", expected, steps);
  }
  switch (config.timestepSpacing) {
    case "linspace":
      return linspace(steps, total);
    case "leading":
      return leading(steps, total, config.stepsOffset);
    case "trailing":
      return trailing(steps, total);
  }
}

/** numpy.linspace(0, T - 1, N).round(): the distance first, then its multiples. */
function linspace(steps: number, total: number): Int32Array {
  const distance = (total - 1) / Math.max(steps - 1, 1);
  return new Int32Array(steps).map((_, i) => roundHalfToEven((steps - 1 - i) * distance));
}

function leading(steps: number, total: number, offset: number): Int32Array {
  const distance = Math.floor(total / steps);
  const first = (steps - 1) * distance + offset;
  if (first > total - 1) {
    throw new RangeError(
      `"stepsOffset" expected an integer that keeps timesteps below ${total}, got ${offset}: the first of ${steps} steps would be timestep ${first}`,
    );
  }
  return new Int32Array(steps).map((_, i) => first - i * distance);
}

/** round(numpy.arange(T, 0, -T / N)) - 1; numpy steps by the difference of the first two values. */
function trailing(steps: number, total: number): Int32Array {
  const distance = total - total / steps - total;
  return new Int32Array(steps).map((_, i) => roundHalfToEven(total + i * distance) - 1);
}

/** A list of timesteps of the user's own, checked to be strictly descending within [0, T - 1]. */
export function checkTimestepList(
  list: ArrayLike<unknown>,
  { numTrainTimesteps: total }: DDIMSchedulerConfig,
): Int32Array {
  const expected = `a strictly descending list of integers in [0, ${total - 1}]`;
  if (list.length === 0) throw outOfRange("steps", expected, list);
  const timesteps = new Int32Array(list.length);
  for (let i = 0; i < timesteps.length; i++) {
    const item = list[i];
    const t = typeof item === "bigint" ? Number(item) : item;
    if (typeof t !== "number") throw wrongType("steps", expected, list);
    if (!Number.isInteger(t) || t < 0 || t >= total || (i > 0 && t >= timesteps[i - 1]!)) {
      throw new RangeError(`"steps" expected ${expected}, got ${show(item)} at index ${i}`);
    }
    timesteps[i] = t;
  }
  return timesteps;
}

/** The entry that follows each timestep of a list: -1 after the last, and absent where the timestep is not in it. */
export function followers(timesteps: Int32Array): Map<number, number> {
  const next = new Map<number, number>();
  timesteps.forEach((t, i) => next.set(t, i + 1 < timesteps.length ? timesteps[i + 1]! : -1));
  return next;
}
