// Random integers.

import { isDeepStrictEqual } from "node:util";
import { Generator } from "ddim-wasm";
import { checkMoments, WrongResult } from "../check.js";
import { MersenneTwister } from "./mersenne-twister.js";

const COUNT = 1_000_000;
const HIGH = 1000;

const library = {
  name: "ddim-wasm",
  prepare() {
    const generator = new Generator(1);
    let result;
    const run = () => {
      result = generator.randint(0, HIGH, [COUNT]);
    };
    return { run, result: () => result };
  },
  check(runner) {
    const twister = new MersenneTwister(1);
    const right = Int32Array.from({ length: COUNT }, () => twister.nextWord() % HIGH);
    if (!isDeepStrictEqual(runner.result(), right)) throw new WrongResult("ddim-wasm's integers are not torch's");
  },
};

const plainLoop = {
  name: "Math.random, scaled",
  prepare() {
    let result;
    const run = () => {
      result = new Int32Array(COUNT);
      for (let i = 0; i < COUNT; i++) result[i] = Math.floor(Math.random() * HIGH);
    };
    return { run, result: () => result };
  },
  check(runner) {
    const mean = (HIGH - 1) / 2;
    const deviation = Math.sqrt((HIGH ** 2 - 1) / 12);
    checkMoments(
      Float64Array.from(runner.result(), (value) => (value - mean) / deviation),
      "Math.random",
    );
  },
};

export default {
  title: "randint of 1,000,000 values in [0, 1000)",
  unit: "nanoseconds a value",
  nanoseconds: 1,
  rows: [{ name: "randint", elements: COUNT, makeEntries: () => [library, plainLoop] }],
};
