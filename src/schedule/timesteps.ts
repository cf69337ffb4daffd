// Which timesteps an inference run visits, in numpy's arithmetic, so that the lists equal those of diffusers.

import { refuse } from "../checks/checks.js";
import { outOfRange, show, wrongType } from "../checks/errors.js";
import { allocateArray } from "../tensor/dtype.js";
import type { TimestepSpacing } from "./options.js";

/** The options that decide the timesteps. */
export interface TimestepOptions {
  readonly numTrainTimesteps: number;
  readonly timestepSpacing: TimestepSpacing;
  readonly stepsOffset: number;
}

/** numpy.round: halves go to the even neighbour. For values >= 0. */
function roundHalfToEven(value: number): number {
  const below = Math.floor(value);
  return value - below === 0.5 ? below + (below % 2) : Math.round(value);
}

/** Returns a number of steps, or throws if it is not in [1, most]. */
export function checkSteps(steps: unknown, most: number, meaning: string): number {
  if (typeof steps === "number" && Number.isInteger(steps) && steps >= 1 && steps <= most) return steps;
  return refuse("steps", steps, "number", `an integer in [1, ${meaning} = ${most}] or a list of timesteps`);
}

/** The descending timesteps of `count` inference steps (arXiv 2305.08891, table 2). */
export function makeTimesteps(count: unknown, config: TimestepOptions): Int32Array {
  const total = config.numTrainTimesteps;
  const steps = checkSteps(count, total, "numTrainTimesteps");
  const timesteps = new Int32Array(steps);
  switch (config.timestepSpacing) {
    case "linspace":
      setLinspace(timesteps, total);
      break;
    case "leading":
      setLeading(timesteps, config);
      break;
    case "trailing":
      setTrailing(timesteps, total);
      break;
  }
  return timesteps;
}

/** numpy.linspace(0, T - 1, N).round(): the distance first, then its multiples. */
function setLinspace(timesteps: Int32Array, total: number): void {
  const last = timesteps.length - 1;
  const distance = (total - 1) / Math.max(last, 1);
  for (let i = 0; i <= last; i++) timesteps[i] = roundHalfToEven((last - i) * distance);
}

/** The first of `steps` timesteps under "leading"; it has to lie below T. */
function firstLeading(steps: number, { numTrainTimesteps, stepsOffset }: TimestepOptions): number {
  return (steps - 1) * Math.floor(numTrainTimesteps / steps) + stepsOffset;
}

function setLeading(timesteps: Int32Array, config: TimestepOptions): void {
  const steps = timesteps.length;
  const { numTrainTimesteps: total, stepsOffset } = config;
  const first = firstLeading(steps, config);
  if (first > total - 1) {
    throw new RangeError(
      `"stepsOffset" expected an integer that keeps timesteps below ${total}, got ${stepsOffset}: the first of ${steps} steps would be timestep ${first}`,
    );
  }
  const distance = Math.floor(total / steps);
  for (let i = 0; i < steps; i++) timesteps[i] = first - i * distance;
}

/** round(numpy.arange(T, 0, -T / N)) - 1; numpy steps by the difference of the first two values. */
function setTrailing(timesteps: Int32Array, total: number): void {
  const distance = total - total / timesteps.length - total;
  for (let i = 0; i < timesteps.length; i++) timesteps[i] = roundHalfToEven(total + i * distance) - 1;
}

/** A list of timesteps of the user's own, checked to be strictly descending within [0, T - 1]. */
export function checkTimestepList(list: ArrayLike<unknown>, total: number): Int32Array {
  const expected = `a strictly descending list of integers in [0, ${total - 1}]`;
  const { length } = list;
  if (!(length >= 1 && length <= total)) throw outOfRange("steps", `${expected}, 1 to ${total} of them`, list);
  const timesteps = allocateArray(Int32Array, length, "steps");
  for (let i = 0; i < length; i++) {
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

/** The entry that follows `t` in a strictly descending list: -1 after the last, undefined where `t` is not in it. */
export function followerOf(timesteps: Int32Array, t: number): number | undefined {
  let start = 0;
  let end = timesteps.length;
  while (start < end) {
    const middle = (start + end) >> 1;
    const entry = timesteps[middle]!;
    if (entry === t) return timesteps[middle + 1] ?? -1;
    if (entry > t) start = middle + 1;
    else end = middle;
  }
  return undefined;
}
