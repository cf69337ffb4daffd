// Memory that cannot grow: in WebAssembly a maximum is written into the module, in the portable build the engine refuses
// larger buffers.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { copy, implementations, type Library } from "./implementations.js";
import { assertSameBits } from "./tensors.js";

const PAGE = 65536;
/** Pages that memory may grow by. */
const SPARE = 20;

/** A number in LEB128, and where it ends. */
function readNumber(bytes: Uint8Array, at: number): [value: number, end: number] {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++]!;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return [value, at];
  }
}

function writeNumber(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...writeNumber(value >>> 7)];
}

/** The module with a maximum in its memory section: [1, 0, least] becomes [1, 1, least, most]. */
function limitMemory(module: Uint8Array): Uint8Array {
  for (let at = 8; at < module.length;) {
    const [length, start] = readNumber(module, at + 1);
    if (module[at] !== 5) {
      at = start + length;
      continue;
    }
    assert.equal(Array.from(module.subarray(start, start + 2)), [1, 0], "one memory without a maximum");
    const [least] = readNumber(module, start + 2);
    const section = [1, 1, ...writeNumber(least), ...writeNumber(least + SPARE)];
    const head = [...module.subarray(0, at), 5, ...writeNumber(section.length), ...section];
    return Uint8Array.from([...head, ...module.subarray(start + length)]);
  }
  return assert.unreachable("the module has no memory section") as never;
}

async function limited(file: string): Promise<Library> {
  const library = await copy(`limited ${file}`);
  await library.init(limitMemory(readFileSync(fileURLToPath(import.meta.resolve(`ddim-wasm/${file}`)))));
  return library;
}

/** Runs code in an engine that has no buffers above some bytes. */
function withSmallBuffers(most: number, code: () => void): void {
  const { ArrayBuffer: own } = globalThis;
  globalThis.ArrayBuffer = new Proxy(own, {
    construct(target, [length, ...rest], newTarget) {
      if (length > most) throw new RangeError("Array buffer allocation failed");
      return Reflect.construct(target, [length, ...rest], newTarget) as object;
    },
  });
  try {
    code();
  } finally {
    globalThis.ArrayBuffer = own;
  }
}

const portable = (await import(`${import.meta.resolve("ddim-wasm/portable")}?limited`)) as Library;
const first = portable.allocate([1]);
const portableBytes = first.data.buffer.byteLength;
first.free();

const run = (code: () => void): void => code();

/** Copies of the library whose memory may grow by a few pages, and what their calls run in. */
const LIMITED: Record<string, [library: Library, within: (code: () => void) => void]> = {
  simd: [await limited("core.wasm"), run],
  scalar: [await limited("core.scalar.wasm"), run],
  portable: [portable, (code) => withSmallBuffers(portableBytes + SPARE * PAGE, code)],
};

/** The results of calls that need no memory but the module's own. */
function takeResults({ DDIMScheduler, Generator }: Library): Float32Array[] {
  const scheduler = new DDIMScheduler({ thresholding: true });
  scheduler.setTimesteps(10);
  const generator = new Generator(1);
  const [x, m] = [generator.randn([2, 20_000]), generator.randn([2, 20_000])];
  return [scheduler.step(m, x, 500, { eta: 1, generator }).data, scheduler.addNoise(x, m, [500, 100]).data];
}

const expected = takeResults(implementations.simd);

for (const [name, [library, within]] of Object.entries(LIMITED)) {
  test(`${name}: memory that may not grow is a RangeError, and everything goes on`, () =>
    within(() => {
      const goesOn = (): void => takeResults(library).forEach((data, i) => assertSameBits(data, expected[i]!));
      for (let round = 0; round < 3; round++) {
        const tensors: ReturnType<Library["allocate"]>[] = [];
        const fill = (length: number): void => {
          for (;;) {
            let tensor;
            try {
              tensor = library.allocate([length]);
            } catch (error) {
              assert.instance(error, RangeError);
              assert.is(
                (error as Error).message,
                `no memory left for a resident tensor of ${4 * length} bytes: free others first`,
              );
              return;
            }
            tensor.data.fill(tensors.length);
            tensors.push(tensor);
          }
        };
        fill(40_000);
        const large = tensors.length;
        assert.ok(large >= 7 && large <= 9, `${large} tensors of 160,000 bytes in ${SPARE} pages`);
        goesOn();
        fill(100);
        fill(1);
        goesOn();
        tensors.forEach((tensor, i) => assert.ok(tensor.data.every((value) => value === i), `tensor ${i}`)); // prettier-ignore

        // What is freed is there again, as a whole.
        tensors[2]!.free();
        const again = library.allocate([40_000]);
        assert.ok(again.data.every((value) => value === 0));
        assert.throws(() => library.allocate([16]), RangeError);
        again.free();
        for (const [i, tensor] of tensors.entries()) if (i !== 2) tensor.free();
        library.allocate([large * 40_000]).free();
      }
    }));
}

test.run();
