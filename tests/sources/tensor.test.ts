import { test } from "uvu";
import * as assert from "uvu/assert";
import { bytesEach, isHalf, newValues } from "../../src/tensor/dtype.js";
import { freedError, isResidentTensor, MARK, refuseUnusable } from "../../src/tensor/resident-tensor.js";
import {
  checkUnchanged,
  copyValues,
  isTensor,
  makeLike,
  readOperand,
  Stored,
  storedAs,
} from "../../src/tensor/tensor.js";
import { blocksOf, instances, newInstance, resident } from "./instances.js";

const core = instances.simd;

class OnnxTensor {
  readonly location = "cpu";
  readonly type: string;
  readonly data: Float32Array | Uint16Array;
  readonly dims: readonly number[];
  constructor(type: string, data: Float32Array | Uint16Array, dims: readonly number[]) {
    this.type = type;
    this.data = data;
    this.dims = dims;
  }
}

test("types of values", () => {
  assert.equal([bytesEach("float16"), bytesEach("float32")], [2, 4]);
  assert.equal([isHalf(new Uint16Array(1)), isHalf(new Float32Array(1))], [true, false]);
  assert.instance(newValues("float16", 3, "dims"), Uint16Array);
  assert.instance(newValues("float32", 3, "dims"), Float32Array);
  assert.throws(() => newValues("float32", 2 ** 50, "dims"), /^"dims" expected fewer elements: this engine has no memory for/); // prettier-ignore
});

test("what looks like a tensor", () => {
  for (const value of [
    new Float32Array(1),
    new Uint16Array(1),
    { dims: 1 },
    new OnnxTensor("", new Float32Array(0), [0]),
  ]) {
    assert.is(isTensor(value), true);
  }
  for (const value of [null, undefined, 500, [1], { data: 1 }, new Int8Array(1), new DataView(new ArrayBuffer(1))]) {
    assert.is(isTensor(value), false);
  }
});

test("an operand knows its values, where they lie, and its dims", () => {
  const data = new Float32Array(6);
  for (const [tensor, dims] of [
    [data, null],
    [{ data, dims: [2, 3] }, [2, 3]],
    [{ data, dims: [6], type: "float32" }, [6]],
  ] as const) {
    // prettier-ignore
    const operand = readOperand(core, tensor, "x");
    assert.equal([operand.name, operand.length, operand.half, operand.resident, operand.dtype], ["x", 6, false, false, "float32"]); // prettier-ignore
    assert.equal(operand.dims, dims);
    assert.is(operand.tensor, tensor);
    assert.is(operand.values, data);
  }
  const halves = readOperand(core, { data: new Uint16Array(6), dims: [6], type: "float16" }, "x");
  assert.equal([halves.half, halves.dtype], [true, "float16"]);
});

test("values are in the module's memory from its heap on, and in no other", () => {
  const inside = resident(core, new Float32Array(4));
  assert.is(readOperand(core, inside.values, "x").resident, true);
  assert.is(readOperand(instances.scalar, inside.values, "x").resident, false);
  assert.is(readOperand(core, new Float32Array(core.buffer, 0, 4), "x").resident, false, "below the heap");
  blocksOf(core).free(inside.values.byteOffset, inside.values.byteLength);
  assert.is(new Stored(new Float32Array(1), false, true).resident, true);
});

test("what is no tensor is refused by name", () => {
  const data = new Float32Array(6);
  const lost = new Float32Array(6);
  structuredClone(lost.buffer, { transfer: [lost.buffer] });
  const refused: [unknown, typeof TypeError, RegExp][] = [
    [undefined, TypeError, /^"x" expected a typed array or { data, dims }, got undefined/],
    [5, TypeError, /^"x" expected a typed array or { data, dims }, got 5/],
    [
      new Int8Array(6),
      TypeError,
      /^"x" expected a Float32Array, Float16Array or Uint16Array of binary16 bits, got Int8Array\(6\)/,
    ],
    [Promise.resolve(data), TypeError, /^"x" expected a typed array or { data, dims }, got a promise: await the model/],
    [{ dims: [6] }, TypeError, /^"x.data" expected a Float32Array/],
    [{ data: [1, 2], dims: [2] }, TypeError, /^"x.data" expected a Float32Array/],
    [{ data }, TypeError, /^"x.dims" expected an array of integers/],
    [{ data, dims: [7] }, RangeError, /^"x.dims" expected dimensions of 6 elements/],
    [
      { data, dims: [6], type: "float16" },
      TypeError,
      /^"x.type" expected "float32" for its Float32Array, got "float16"/,
    ],
    [lost, TypeError, /^"x" expected values in memory, got a detached array/],
    [{ data: lost, dims: [6] }, TypeError, /^"x" expected values in memory, got a detached array/],
  ];
  for (const [value, Class, message] of refused) {
    assert.throws(() => readOperand(core, value, "x"), (error: Error) => error.constructor === Class && message.test(error.message), String(message)); // prettier-ignore
  }
});

test("each property of a tensor is read once", () => {
  const reads: string[] = [];
  const target = { data: new Float32Array(2), dims: [2], type: "float32" };
  const tensor = new Proxy(target, { get: (object, key) => (reads.push(String(key)), Reflect.get(object, key)) });
  readOperand(core, tensor, "x");
  assert.equal(new Set(reads), new Set(["data", "dims", "type"]));
  assert.is(reads.length, 3);
});

test("a new tensor is of the kind of another", () => {
  const data = new Float32Array(6).fill(7);
  const bare = makeLike(core, readOperand(core, data, "x"), 2);
  assert.instance(bare.tensor, Float32Array);
  assert.equal([bare.length, bare.dims], [12, null]);
  const plain = makeLike(core, readOperand(core, { data, dims: [2, 3] }, "x"), 2);
  assert.equal(plain.tensor, { data: new Float32Array(12), dims: [4, 3], type: "float32" });
  const made = makeLike(core, readOperand(core, new OnnxTensor("float32", data, [2, 3]), "x"));
  assert.instance(made.tensor, OnnxTensor);
  assert.equal(
    [(made.tensor as OnnxTensor).dims, (made.tensor as OnnxTensor).type, made.length],
    [[2, 3], "float32", 6],
  );
  class Other {
    data = data;
    dims = [6];
  }
  assert.throws(() => makeLike(core, readOperand(core, new Other(), "x"), 2), /^"x" expected a tensor of a class that is constructed with \(type, data, dims\)/); // prettier-ignore
  class Failing extends OnnxTensor {
    constructor(...args: [string, Float32Array, number[]]) {
      super(...args);
      if (args[1].length !== 6) throw new Error("no such tensor");
    }
  }
  const failing = readOperand(core, new Failing("float32", data, [6]), "x");
  assert.throws(() => makeLike(core, failing, 2), (error: Error) => (error.cause as Error).message === "no such tensor"); // prettier-ignore
});

test("copies have memory of their own, and a changed length is noticed", () => {
  const values = Float32Array.of(1, 2, 3);
  const copy = copyValues(storedAs(values), "x");
  assert.equal(copy, values);
  assert.is.not(copy.buffer, values.buffer);
  const resizable = new (ArrayBuffer as unknown as new (n: number, o: object) => ArrayBuffer)(12, {
    maxByteLength: 24,
  });
  const operand = readOperand(core, new Float32Array(resizable), "x");
  checkUnchanged(operand);
  (resizable as unknown as { resize(length: number): void }).resize(8);
  assert.throws(
    () => checkUnchanged(operand),
    /^"x" expected to keep its 3 values, got 2 once all arguments had been read/,
  );
});

test("resident tensors that are freed, or of another copy, are refused by name", () => {
  const mark = (instance: object, isFreed: boolean): object => ({ [MARK]: { instance, isFreed }, dims: [2, 3] });
  refuseUnusable(core, "x", {});
  refuseUnusable(core, "x", mark(core, false));
  assert.equal([isResidentTensor({}), isResidentTensor(mark(core, true))], [false, true]);
  assert.throws(() => refuseUnusable(core, "x", mark(core, true)), /^"x" is a resident tensor of dims \[2, 3\] that has been freed/); // prettier-ignore
  const other = mark(newInstance("simd"), false);
  assert.throws(() => refuseUnusable(core, "x", other), /^"x" expected a resident tensor of this copy of ddim-wasm/);
  assert.is(freedError("data", [1]).constructor, Error);
});

test.run();
