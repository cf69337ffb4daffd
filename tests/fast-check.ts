// fast-check with a seed that is the same in every run. FAST_CHECK_SEED sets another one, FAST_CHECK_PATH replays the
// failure that a property told of, and FAST_CHECK_TIMES multiplies the runs of the properties in tests/properties/.

import * as fc from "fast-check";

const { FAST_CHECK_SEED = "2010", FAST_CHECK_PATH, FAST_CHECK_TIMES = "1" } = process.env;

fc.configureGlobal({
  seed: Number(FAST_CHECK_SEED),
  ...(FAST_CHECK_PATH !== undefined && { path: FAST_CHECK_PATH }),
  includeErrorInReport: true,
  reporter(details) {
    if (!details.failed) return;
    const replay = `FAST_CHECK_SEED=${details.seed} FAST_CHECK_PATH=${details.counterexamplePath} npm run test:api -- FILE`;
    throw new Error(`${fc.defaultReportMessage(details as fc.RunDetails<unknown>)}\n\nReplay: ${replay}`, {
      cause: details.errorInstance,
    });
  },
});

/** So many runs, or a multiple of them where FAST_CHECK_TIMES says so. */
export function runs(count: number): { numRuns: number } {
  return { numRuns: count * Number(FAST_CHECK_TIMES) };
}

export * from "fast-check";
