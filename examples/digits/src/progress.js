// How far the program is: a bar where it runs in a terminal, a line for each phase elsewhere.

import { Presets, SingleBar } from "cli-progress";

/**
 * Runs a phase of the program.
 *
 * @template T
 * @param {string} what
 * @param {(onStep: (report: { step: number, total: number }) => void) => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function runPhase(what, work) {
  if (!process.stdout.isTTY) {
    console.log(what);
    return work(() => {});
  }
  // Neither the cursor nor the wrapping of lines is switched off: a program that is interrupted could not put them back.
  const format = `${what} {bar} {value} of {total}`;
  const bar = new SingleBar(
    { format, barsize: 20, stream: process.stdout, linewrap: true, hideCursor: false },
    Presets.shades_classic,
  );
  try {
    return await work(({ step, total }) => {
      if (step === 0) bar.start(total, 0);
      bar.increment();
    });
  } finally {
    bar.stop();
  }
}
