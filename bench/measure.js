// Timing: all contestants of a task in turn, A B C A B C ..., each turn long enough for the clock.

const TURN = 2; // milliseconds

/** Keeps the engine from leaving out what nobody looks at. */
export const sink = { value: 0 };

/** Milliseconds that so many calls take, and those that measuring them takes. */
async function time(runner, iterations) {
  const { run, asynchronous } = runner;
  const start = performance.now();
  let elapsed;
  if (runner.time) elapsed = await runner.time(iterations);
  else if (asynchronous) for (let i = 0; i < iterations; i++) await run();
  else for (let i = 0; i < iterations; i++) run();
  const spent = performance.now() - start;
  return { elapsed: elapsed ?? spent, spent };
}

/** Runs until the engine has had time to compile what is hot, then finds how many calls fill a turn. */
async function calibrate(runner, warmUp) {
  const spend = async (iterations) => (await time(runner, iterations)).spent;
  let call = Infinity;
  for (let spent = 0; spent < warmUp;) {
    call = await spend(1);
    spent += call;
  }
  let iterations = Math.ceil(TURN / call);
  for (let spent = await spend(iterations); spent < TURN; spent = await spend(iterations)) {
    iterations = Math.ceil(iterations * Math.min(2, (1.1 * TURN) / spent));
  }
  return iterations;
}

/** The median, the minimum and the quartiles of a list. */
export function summarise(times) {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (ratio) => {
    const rank = ratio * (sorted.length - 1);
    const low = Math.floor(rank);
    return sorted[low] + ((sorted[low + 1] ?? sorted[low]) - sorted[low]) * (rank - low);
  };
  return { median: at(0.5), minimum: sorted[0], lowerQuartile: at(0.25), upperQuartile: at(0.75), turns: times.length };
}

/**
 * Times runners `{ run, asynchronous, result }` against each other. One that needs preparations which do not count, or
 * measures a difference, has a method `time` too, which does so many calls and returns their milliseconds.
 *
 * @param elements that a call works on
 * @param turns of each runner; one whose turns take long has fewer, but no fewer than 3
 * @param warmUp milliseconds a runner
 * @param budget milliseconds a runner
 * @returns for each runner nanoseconds an element
 */
export async function measure(runners, elements, { turns, warmUp, budget }) {
  const entries = [];
  for (const runner of runners) {
    entries.push({ runner, iterations: await calibrate(runner, warmUp), times: [], left: turns, spent: 0 });
  }
  for (let turn = 0; turn < turns; turn++) {
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[(turn + i) % entries.length];
      const { runner, iterations, times } = entry;
      if (times.length >= 3 && entry.spent > budget) continue;
      // The others have had the caches since.
      if (iterations > 1) await time(runner, 1);
      const { elapsed, spent } = await time(runner, iterations);
      entry.spent += spent;
      times.push((elapsed * 1e6) / iterations / elements);
      sink.value += Number(runner.result()[turn % elements]);
    }
  }
  return entries.map(({ times, iterations }) => ({ ...summarise(times), iterations }));
}
