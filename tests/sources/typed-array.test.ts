import { runInNewContext } from "node:vm";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { bufferOf, byteOffsetOf, copyInto, isDetached, kindOf, lengthOf, part } from "../../src/tensor/typed-array.js";

/** A class whose every member of its own is wrong. */
class Lying extends Float32Array {}
for (const [name, value] of Object.entries({ length: 1000, byteOffset: 4, buffer: new ArrayBuffer(8) })) {
  Object.defineProperty(Lying.prototype, name, { get: () => value });
}
Object.defineProperty(Lying.prototype, Symbol.toStringTag, { get: () => "Uint16Array" });
for (const name of ["set", "slice", "subarray", "keys"]) {
  Object.defineProperty(Lying.prototype, name, { value: () => assert.unreachable(`${name} of the subclass ran`) });
}
Object.defineProperty(Lying, Symbol.species, { get: () => assert.unreachable("the species was asked") });

const bytes = new ArrayBuffer(48);

test("facts are the engine's, whatever a subclass says", () => {
  const lying = new Lying(bytes, 8, 5);
  assert.equal([kindOf(lying), lengthOf(lying), byteOffsetOf(lying)], ["Float32Array", 5, 8]);
  assert.is(bufferOf(lying), bytes);
  assert.is(isDetached(lying), false);
});

test("arrays of another realm are known, and what is no typed array is not", () => {
  assert.is(kindOf(runInNewContext("new Float32Array(2)")), "Float32Array");
  assert.is(kindOf(new Uint8ClampedArray(1)), "Uint8ClampedArray");
  const others = [null, undefined, 1, "text", [], new DataView(bytes), bytes, { [Symbol.toStringTag]: "Float32Array" }, new Proxy(new Float32Array(1), {})]; // prettier-ignore
  for (const value of others) assert.is(kindOf(value), undefined);
});

test("a part is a view of the same memory, of the engine's own class", () => {
  const lying = new Lying(bytes, 8, 5);
  const some = part(lying, 2, 3);
  assert.is(some.constructor, Float32Array);
  assert.equal([some.byteOffset, some.length, some.buffer === bytes], [16, 3, true]);
  const halves = part(new Uint16Array(bytes, 6, 9), 4, 2);
  assert.is(halves.constructor, Uint16Array);
  assert.equal([halves.byteOffset, halves.length], [14, 2]);
});

test("values are copied without code of a subclass", () => {
  const target = new Lying(new ArrayBuffer(20));
  copyInto(target, Float32Array.of(1, 2, 3), 1);
  assert.equal(Array.from(new Float32Array(bufferOf(target))), [0, 1, 2, 3, 0]);
  const halves = new Uint16Array(3);
  copyInto(halves, Uint16Array.of(7, 8), 1);
  assert.equal(Array.from(halves), [0, 7, 8]);
});

test("memory that is gone is known from memory that is empty", () => {
  const lost = new Float32Array(3);
  structuredClone(lost.buffer, { transfer: [lost.buffer] });
  assert.equal([isDetached(lost), lengthOf(lost)], [true, 0]);
  const resizable = new (ArrayBuffer as unknown as new (n: number, o: object) => ArrayBuffer)(12, {
    maxByteLength: 24,
  });
  const [cut, tracking] = [new Float32Array(resizable, 4, 2), new Float32Array(resizable)];
  (resizable as unknown as { resize(length: number): void }).resize(8);
  assert.equal([isDetached(cut), lengthOf(cut)], [true, 0]);
  assert.equal([isDetached(tracking), lengthOf(tracking)], [false, 2]);
  assert.equal([isDetached(new Float32Array(0)), isDetached([]), isDetached(null)], [false, true, true]);
});

test.run();
