import * as fc from "../fast-check.js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { lambdaBetween } from "../../src/schedule/log-snr.js";

const lambda = (alpha: number): number => Math.log(alpha / (1 - alpha)) / 2;
const alphas = fc.double({ min: 2 ** -24, max: 1 - 2 ** -20, noNaN: true });

test("the difference of two lambdas is that of their logarithms", () => {
  fc.assert(
    fc.property(alphas, alphas, (from, to) => {
      const truth = lambda(to) - lambda(from);
      const actual = lambdaBetween(from, to);
      // Roots down to 1.025 or so are off by 2^-53 of 1, or 40 times that of their logarithm, and by half as much from
      // the root before; and Math.log's own rounding of what is subtracted here.
      const size = Math.abs(lambda(from)) + Math.abs(lambda(to));
      const bound = 80 * 2 ** -53 * Math.abs(truth) + 2 ** -51 * (size + 1);
      assert.ok(Math.abs(actual - truth) <= bound, `${from} to ${to}: ${actual} instead of ${truth}`);
      assert.ok(Math.abs(actual + lambdaBetween(to, from)) <= 2 * bound);
    }),
    { numRuns: 2000 },
  );
});

test("where a level has no noise, or no signal", () => {
  assert.is(lambdaBetween(0.5, 0.5), 0);
  assert.is(lambdaBetween(0.5, 1), Infinity);
  assert.is(lambdaBetween(0, 0.5), Infinity);
  assert.ok(Number.isNaN(lambdaBetween(0, 0)));
});

test.run();
