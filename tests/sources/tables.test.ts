import * as fc from "../fast-check.js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { BetaSchedule } from "../../src/schedule/options.js";
import { makeTables, type TableOptions } from "../../src/schedule/tables.js";
import { instances } from "./instances.js";

const SCHEDULES = ["linear", "scaled_linear", "squaredcos_cap_v2", "sigmoid"] as const;

const options = (changes: Partial<TableOptions> = {}): TableOptions => ({
  numTrainTimesteps: 1000,
  betaStart: 0.0001,
  betaEnd: 0.02,
  betaSchedule: "linear",
  trainedBetas: null,
  rescaleBetasZeroSnr: false,
  ...changes,
});

/** The beta of timestep i of T, from the formula of a schedule. */
function beta(schedule: BetaSchedule, i: number, total: number, start: number, end: number): number {
  const along = total === 1 ? 0 : i / (total - 1);
  switch (schedule) {
    case "linear":
      return start + along * (end - start);
    case "scaled_linear":
      return (Math.sqrt(start) + along * (Math.sqrt(end) - Math.sqrt(start))) ** 2;
    case "squaredcos_cap_v2": {
      const level = (u: number) => Math.cos(((u + 0.008) / 1.008) * (Math.PI / 2)) ** 2;
      return Math.min(1 - level((i + 1) / total) / level(i / total), 0.999);
    }
    case "sigmoid":
      return (end - start) / (1 + Math.exp(6 - 12 * along)) + start;
  }
}

const ranges = fc.record({
  numTrainTimesteps: fc.integer({ min: 1, max: 1200 }),
  betaStart: fc.double({ min: 1e-6, max: 0.5, noNaN: true }),
  betaEnd: fc.double({ min: 1e-6, max: 0.9, noNaN: true }),
});

for (const [build, core] of Object.entries(instances)) {
  for (const betaSchedule of SCHEDULES) {
    test(`${build}: ${betaSchedule}: betas from the formula, alphas and their products from the betas`, () => {
      fc.assert(
        fc.property(ranges, (range) => {
          const { betas, alphas, alphasCumprod } = makeTables(core, options({ ...range, betaSchedule }));
          const { numTrainTimesteps: total, betaStart, betaEnd } = range;
          assert.is(betas.length, total);
          let product = 1;
          for (let i = 0; i < total; i++) {
            // A few units of 1 - beta, the difference that the cosines' beta is.
            assert.ok(Math.abs(betas[i]! - beta(betaSchedule, i, total, betaStart, betaEnd)) <= 2e-15, `beta ${i}`);
            assert.is(alphas[i], 1 - betas[i]!);
            assert.is(alphasCumprod[i], (product *= alphas[i]!));
          }
        }),
        { numRuns: 50 },
      );
    });
  }

  test(`${build}: linear schedules begin and end exactly where they are told to`, () => {
    fc.assert(
      fc.property(ranges, (range) => {
        const { betaStart, betaEnd, numTrainTimesteps } = range;
        const ends = ({ betas }: { betas: Float64Array }) => [betas[0], betas.at(-1)];
        const last = numTrainTimesteps === 1 ? betaStart : betaEnd;
        assert.equal(ends(makeTables(core, options(range))), [betaStart, last]);
        assert.equal(
          ends(makeTables(core, options({ ...range, betaSchedule: "scaled_linear" }))),
          [betaStart, last].map((value) => Math.sqrt(value) ** 2),
        );
      }),
    );
  });

  for (const betaSchedule of SCHEDULES) {
    test(`${build}: ${betaSchedule}: one training step has the first beta`, () => {
      const { betas, alphasCumprod } = makeTables(core, options({ numTrainTimesteps: 1, betaSchedule }));
      assert.is(betas.length, 1);
      assert.ok(Math.abs(betas[0]! - beta(betaSchedule, 0, 1, 0.0001, 0.02)) <= 2e-15);
      assert.is(alphasCumprod[0], 1 - betas[0]!);
    });

    test(`${build}: ${betaSchedule}: without a signal at the end, the first level stands and all lie between`, () => {
      const plain = makeTables(core, options({ betaSchedule }));
      const { betas, alphas, alphasCumprod } = makeTables(core, options({ betaSchedule, rescaleBetasZeroSnr: true }));
      assert.is(alphasCumprod.at(-1), 0);
      assert.is(betas.at(-1), 1);
      const first = Math.sqrt(plain.alphasCumprod[0]!);
      const last = Math.sqrt(plain.alphasCumprod.at(-1)!);
      for (let i = 0; i < 1000; i++) {
        const root = ((Math.sqrt(plain.alphasCumprod[i]!) - last) * first) / (first - last);
        assert.ok(Math.abs(alphasCumprod[i]! - root * root) <= 1e-15);
        assert.ok(Math.abs(alphas[i]! * (alphasCumprod[i - 1] ?? 1) - alphasCumprod[i]!) <= 1e-15);
        assert.is(betas[i], 1 - alphas[i]!);
      }
    });
  }

  test(`${build}: trained betas are taken as they are, in new memory`, () => {
    const trainedBetas = [0.5, 0.25, 0.125, 1];
    const { betas, alphasCumprod } = makeTables(core, options({ trainedBetas, numTrainTimesteps: 4 }));
    assert.equal(Array.from(betas), trainedBetas);
    assert.equal(Array.from(alphasCumprod), [0.5, 0.375, 0.328125, 0]);
  });

  for (const [trainedBetas, place] of [
    [[0.1, 0], "beta 1 "],
    [[-0.1, 0.1], "beta 0 "],
    [[1, 0.1], "beta 0 "],
    [[0.1, 1.5], "beta 1 "],
    [[1e-17, 0.1], "rounds to 1"],
  ] as const) {
    test(`${build}: trained betas ${JSON.stringify(trainedBetas)} are refused`, () => {
      assert.throws(
        () => makeTables(core, options({ trainedBetas, numTrainTimesteps: 2 })),
        (error: unknown) => error instanceof RangeError && error.message.includes(place),
      );
    });
  }
}

test("SIMD and scalar give the same bits", () => {
  for (const betaSchedule of SCHEDULES) {
    for (const numTrainTimesteps of [1, 2, 999, 1000, 20_000]) {
      // Beyond the piece of 8,200 doubles that pass through the module at once.
      const config = options({ betaSchedule, numTrainTimesteps });
      assert.equal(makeTables(instances.simd, config), makeTables(instances.scalar, config));
    }
  }
});

test.run();
