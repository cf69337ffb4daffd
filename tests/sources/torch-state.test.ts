import { test } from "uvu";
import * as assert from "uvu/assert";
import { exportState, importState, STATE_BYTES } from "../../src/random/torch-state.js";

/** A state whose words tell their places. */
const state = Uint32Array.from({ length: 630 }, (_, i) => 1000 + i);
const [NEXT, LEFT] = [624, 625];

function stateWith(next: number, left: number): Uint32Array {
  const words = state.slice();
  words[NEXT] = next;
  words[LEFT] = left;
  return words;
}

test("a state goes to torch's form and back", () => {
  for (const [next, left] of [
    [0, 1],
    [0, 624],
    [624, 1],
    [100, 525],
  ] as const) {
    const words = stateWith(next, left);
    words[627] = 0; // not used
    const bytes = exportState(words, 2n ** 64n - 5n);
    assert.is(bytes.length, STATE_BYTES);
    const read = new Uint32Array(630);
    assert.is(importState(read, bytes), 2n ** 64n - 5n);
    assert.equal(read, words);
  }
});

test("bytes that begin anywhere in their memory are read as well", () => {
  const bytes = exportState(stateWith(3, 4), 9n);
  const whole = new Uint8Array(STATE_BYTES + 3);
  whole.set(bytes, 3);
  assert.is(importState(new Uint32Array(630), whole.subarray(3)), 9n);
});

test("what holds no state is refused, and nothing is taken over", () => {
  for (const [next, left] of [
    [0, 0],
    [0, 626],
    [624, 2],
    [2 ** 32 - 1, 1],
    [1, 2 ** 32 - 1],
  ] as const) {
    const target = state.slice();
    const bytes = exportState(stateWith(next, left), 9n);
    assert.throws(() => importState(target, bytes), new RegExp(`^"state" expected 5056 bytes .* "left" is ${left} and their "next" ${next}$`)); // prettier-ignore
    assert.equal(target, state);
  }
});

test.run();
