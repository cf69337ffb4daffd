// The library's slow corners: calls whose cost has little to do with the kernels. Each file exports a group of rows:
//
//     title, unit     what the group is of, and what its times are in
//     nanoseconds     a unit's
//     over            optional: a contestant whose time is subtracted from the library's in one more column
//     rows            { name, elements, makeEntries() }: the elements that share a call's time, 1 if not given, and the
//                     contestants, the library first, as `compete` takes them

import { compete } from "../compete.js";
import batches from "./batches.js";
import finite from "./finite.js";
import holes from "./holes.js";
import integers from "./integers.js";
import run from "./run.js";
import smallSteps from "./small-steps.js";
import tables from "./tables.js";
import thresholds from "./thresholds.js";
import tinyValues from "./tiny-values.js";

const GROUPS = [smallSteps, batches, thresholds, tinyValues, finite, tables, holes, integers, run];

/** Measures the groups; the rows of each have `contestants`, the rows of `compete`, in place of `makeEntries`. */
export async function* measureCorners(effort) {
  for (const { title, unit, nanoseconds, over, rows } of GROUPS) {
    const measured = [];
    for (const { name, elements = 1, makeEntries } of rows) {
      measured.push({ name, elements, contestants: await compete(await makeEntries(), elements, effort) });
    }
    yield { title, unit, nanoseconds, over, rows: measured };
  }
}
