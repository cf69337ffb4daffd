// Rounds of calls with right and wrong arguments (tests/fuzz/); npm run fuzz makes more of them.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { playRound, takeCanary } from "./fuzz/round.js";
import { probeMemory } from "./fuzz/world.js";
import { implementations, type Library } from "./implementations.js";

const portable = (await import("ddim-wasm/portable")) as Library;

/** Seeds that found a fault once. (What they call changes with tests/fuzz/: each fault has a test of its own besides.) */
const FOUND = [19, 1211, 4016, 6005296];

const SEEDS = [...FOUND, ...Array.from({ length: 60 }, (_, i) => 1_000_000 + i)];

// What a scheduler ignores is told on the console.
const { warn } = console;
test.before(() => void (console.warn = () => {}));
test.after(() => void (console.warn = warn));

for (const [name, library] of Object.entries({ ...implementations, portable })) {
  test(`${name}: right and wrong calls throw only errors that name an argument, and leave everything usable`, async () => {
    const canary = takeCanary(library);
    assert.is(canary, takeCanary(implementations.simd));
    const { byteOffset } = probeMemory(library);
    for (const seed of SEEDS) {
      await playRound(library, seed, canary).catch((error: Error) =>
        assert.unreachable(`seed ${seed}: ${error.message}`),
      );
    }
    assert.is(probeMemory(library).byteOffset, byteOffset, "all blocks have been given back");
  });
}

test.run();
