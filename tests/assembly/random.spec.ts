import { stage } from "../../assembly/memory";
import { drawFewNormals, drawNormals, drawWords, seedRandom } from "../../assembly/random";

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
});
