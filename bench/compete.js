// One comparison: contestants are prepared, checked, and timed against each other.

import { checkResult, computeExpected, WrongResult } from "./check.js";
import { measure } from "./measure.js";

/**
 * Enters a contestant for a task.
 *
 * @returns `{ name, prepare(), check(runner) }`, as `compete` takes it
 */
export function enter({ name, prepare }, task, expected = computeExpected(task)) {
  const check = (runner) => {
    if (!runner.unchecked) checkResult(task, expected, runner.result(), name, runner.roundsEachOperation);
  };
  return { name, prepare: () => prepare(task), check };
}

/** Prepares an entry and checks its first result. What it gives is its row of the table. */
async function start({ name, prepare, check }) {
  const row = { name, times: null, reason: null };
  let runner = null;
  try {
    runner = await prepare();
    await runner.run();
    await check(runner);
  } catch (error) {
    row.reason = error.message;
    if (error instanceof WrongResult) {
      row.reason = `WRONG: ${error.message}`;
      process.exitCode = 1;
    }
    await runner?.dispose?.();
    runner = null;
  }
  return { row, runner };
}

/**
 * Times entries against each other.
 *
 * @param entries `{ name, prepare(), check(runner) }`
 * @param elements that a call works on
 * @param effort see `measure`
 * @returns for each entry `{ name, times, reason }`: times in nanoseconds an element, or the reason why there are none
 */
export async function compete(entries, elements, effort) {
  const started = [];
  for (const entry of entries) started.push(await start(entry));
  const present = started.filter(({ runner }) => runner);
  const times = await measure(
    present.map(({ runner }) => runner),
    elements,
    effort,
  );
  for (const [i, { row, runner }] of present.entries()) {
    row.times = times[i];
    await runner.dispose?.();
  }
  return started.map(({ row }) => row);
}
