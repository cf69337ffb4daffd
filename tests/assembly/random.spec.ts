import { randomState, stage } from "../../assembly/memory";
import { drawFewNormals, drawNormals, drawUniforms, drawWords, seedRandom } from "../../assembly/random";

/** The uniform of a word. */
function uniform(word: usize): f64 {
  return <f64>(load<u32>(word) & 0xffffff) / 16777216.0;
}

describe("random", () => {
  it("has the words of MT19937", () => {
    const first: StaticArray<u32> = [2357136044, 2546248239, 3071714933, 3626093760, 2588848963];
    seedRandom(0);
    drawWords(stage(0), 5);
    for (let i = 0; i < 5; i++) expect(load<u32>(stage(0) + i * 4)).toBe(first[i]);
    seedRandom(5489);
    drawWords(stage(0), 10000);
    expect(load<u32>(stage(0))).toBe(3499211612);
    expect(load<u32>(stage(0) + 9999 * 4)).toBe(4123659995, "the 10,000th word, as the C++ standard requires it");
  });

  it("goes on in the middle of its state", () => {
    seedRandom(7);
    drawWords(stage(0), 2000);
    seedRandom(7);
    for (let i = 0; i < 2000; i += 125) drawWords(stage(1) + i * 4, 125);
    expect(memory.compare(stage(0), stage(1), 8000)).toBe(0);
  });

  it("makes torch's normals", () => {
    seedRandom(0);
    drawNormals(stage(0), 16, false);
    expect(load<u32>(stage(0))).toBe(0xbf901b85);
    expect(load<u32>(stage(0) + 4)).toBe(0xbf93808a);
    expect(load<u32>(stage(0) + 28)).toBe(0xc0075fc1);
    expect(load<u32>(stage(0) + 32)).toBe(0x3ea50138);
    expect(load<u32>(stage(0) + 60)).toBe(0xbe7d367c);
  });

  it("makes torch's normals of small tensors", () => {
    seedRandom(0);
    drawFewNormals(stage(0), 5);
    const values: StaticArray<f32> = [1.5409961, -0.2934289, -2.1787894, 0.5684313, -1.0845224];
    for (let i = 0; i < 5; i++) expect(abs(load<f32>(stage(0) + i * 4) - values[i])).toBeLessThan(1e-6);
  });

  it("makes uniforms of the low 24 bits of words", () => {
    for (let n = 1; n < 40; n++) {
      seedRandom(n);
      drawWords(stage(1), n);
      seedRandom(n);
      drawUniforms(stage(0), n, false);
      for (let i = 0; i < n; i++) {
        expect(load<f32>(stage(0) + i * 4)).toBe(<f32>uniform(stage(1) + i * 4));
      }
    }
  });

  it("makes 0 of uniforms that a half would round to 1", () => {
    seedRandom(3);
    drawUniforms(stage(1), 16000, false);
    seedRandom(3);
    drawUniforms(stage(0), 16000, true);
    let zeros = 0;
    let wrong = 0;
    for (let i = 0; i < 16000; i++) {
      const drawn = load<f32>(stage(1) + i * 4);
      const isBeyond = drawn >= <f32>(4095.0 / 4096.0);
      if (isBeyond) zeros++;
      if (load<f32>(stage(0) + i * 4) != (isBeyond ? 0 : drawn)) wrong++;
    }
    expect(wrong).toBe(0);
    expect(zeros).toBeGreaterThan(0);
  });

  it("makes 0 of the least uniform that a half would round to 1", () => {
    // Of the words of a state the first with these low bits: one of 2^24 has them.
    const state = new StaticArray<u32>(630);
    const kept = changetype<usize>(state);
    let place: i32 = -1;
    seedRandom(1);
    while (place < 0) {
      memory.copy(kept, randomState(), 2520);
      drawWords(stage(1), 16000);
      for (let i = 0; i < 16000; i++) {
        if ((load<u32>(stage(1) + i * 4) & 0xffffff) == 0xfff000) place = i;
      }
    }
    memory.copy(randomState(), kept, 2520);
    drawUniforms(stage(0), 16000, false);
    expect(load<f32>(stage(0) + place * 4)).toBe(<f32>(4095.0 / 4096.0));
    memory.copy(randomState(), kept, 2520);
    drawUniforms(stage(0), 16000, true);
    expect(load<f32>(stage(0) + place * 4)).toBe(0);
  });

  it("makes normals of eight radii and eight angles", () => {
    seedRandom(11);
    drawWords(stage(1), 1600);
    seedRandom(11);
    drawNormals(stage(0), 1600, false);
    let worst: f64 = 0;
    for (let block = 0; block < 1600; block += 16) {
      for (let i = block; i < block + 8; i++) {
        const u1 = 1.0 - uniform(stage(1) + i * 4);
        const u2 = uniform(stage(1) + (i + 8) * 4);
        const radius = Math.sqrt(-2 * Math.log(u1));
        const theta = 2 * Math.PI * u2;
        worst = max(worst, abs(<f64>load<f32>(stage(0) + i * 4) - radius * Math.cos(theta)));
        worst = max(worst, abs(<f64>load<f32>(stage(0) + (i + 8) * 4) - radius * Math.sin(theta)));
      }
    }
    expect(worst).toBeLessThan(2e-6);
  });

  it("draws the last 16 of a tensor again where its size is no multiple of 16", () => {
    for (let rest = 1; rest < 16; rest++) {
      for (let half = 0; half < 2; half++) {
        const n = 32 + rest;
        seedRandom(5);
        drawNormals(stage(0), n, half != 0);
        const next = stage(0) + 400;
        drawWords(next, 1);
        // The same by hand: the words of a half's rest are not drawn.
        seedRandom(5);
        drawNormals(stage(1), 32, false);
        if (!half) drawWords(stage(1) + 128, rest);
        drawNormals(stage(1) + (n - 16) * 4, 16, false);
        expect(memory.compare(stage(0), stage(1), n * 4)).toBe(0);
        drawWords(stage(1), 1);
        expect(load<u32>(next)).toBe(load<u32>(stage(1)));
      }
    }
  });

  it("keeps the second half of a pair for the next small tensor, and only once", () => {
    seedRandom(9);
    drawFewNormals(stage(1), 6);
    seedRandom(9);
    for (let i = 0; i < 6; i++) {
      drawFewNormals(stage(0) + i * 4, 1);
      expect(load<i32>(randomState(), 2504)).toBe(i & 1 ? 0 : 1);
      expect(load<f64>(randomState(), 2512) == 0).toBe((i & 1) == 1);
    }
    expect(memory.compare(stage(0), stage(1), 24)).toBe(0);
    drawFewNormals(stage(0), 1);
    seedRandom(9);
    expect(load<i32>(randomState(), 2504)).toBe(0, "a seed leaves none");
  });
});
