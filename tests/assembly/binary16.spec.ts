import { decode, encode } from "../../assembly/binary16";
import { stage } from "../../assembly/memory";

describe("binary16", () => {
  it("encodes what it decodes", () => {
    // One exponent at a time: infinities and NaNs take another path.
    for (let first = 0; first < 65536; first += 1024) {
      for (let i = 0; i < 1024; i++) store<u16>(stage(0) + i * 2, first + i);
      decode(stage(1), stage(0), 1024);
      encode(stage(2), stage(1), 1024);
      let wrong = 0;
      for (let i = 0; i < 1024; i++) {
        const bits = first + i;
        const expected = (bits & 0x7fff) > 0x7c00 ? 0x7e00 : bits;
        if (load<u16>(stage(2) + i * 2) != <u16>expected) wrong++;
      }
      expect(wrong).toBe(0);
    }
  });

  it("rounds to nearest even, and beyond 65520 to infinity", () => {
    const floats: StaticArray<f32> = [1.00048828125, 1.00146484375, 65519, 65520, 2.98023224e-8, 2.98023259e-8, -0.0];
    const halves: StaticArray<u16> = [0x3c00, 0x3c02, 0x7bff, 0x7c00, 0, 1, 0x8000];
    for (let n = 1; n <= floats.length; n++) {
      encode(stage(0), changetype<usize>(floats), n);
      for (let i = 0; i < n; i++) expect(load<u16>(stage(0) + i * 2)).toBe(halves[i]);
    }
  });
});
