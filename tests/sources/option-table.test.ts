import { test } from "uvu";
import * as assert from "uvu/assert";
import { finite } from "../../src/checks/checks.js";
import { OptionTable } from "../../src/checks/options.js";

const KINDS = ["small", "large"] as const;
const table = new OptionTable({ size: [1, finite], kind: ["small", KINDS], other: [null] }, ["absent"]);

const message = (call: () => unknown): string => {
  try {
    call();
  } catch (error) {
    assert.instance(error, TypeError);
    return (error as Error).message;
  }
  return assert.unreachable("nothing was thrown") as never;
};

test("what is given is checked, the rest has its default", () => {
  const defaults = { absent: undefined, size: 1, kind: "small", other: null };
  for (const options of [undefined, {}, Object.create(null), { size: undefined }]) {
    assert.equal(table.read("options", options), defaults);
  }
  const symbol = Symbol("any");
  const read = table.read("options", { size: 2, kind: "large", other: symbol, [Symbol("key")]: 1 });
  assert.equal(read, { ...defaults, size: 2, kind: "large", other: symbol });
  assert.throws(() => table.read("options", { size: "2" }), /^"size" expected a finite number, got "2"/);
  assert.throws(() => table.read("options", { kind: "huge" }), /^"kind" expected one of "small", "large", got "huge"/);
});

test("readGiven has no defaults", () => {
  assert.equal(table.readGiven("options", undefined), {});
  assert.equal(table.readGiven("options", { kind: "large", size: undefined }), { kind: "large" });
});

test("names that it does not have are told, and those that it has", () => {
  for (const options of [{ colour: 1 }, { absent: 1 }, { colour: undefined }]) {
    const [name] = Object.keys(options);
    assert.is(
      message(() => table.read("options", options)),
      `"options" has no option "${name}"; it takes size, kind, other`,
    );
  }
  const long = "x".repeat(1000);
  assert.ok(message(() => table.read("options", { [long]: 1 })).length < 200);
});

test("only a plain object's own properties are options", () => {
  const inherited = Object.create({ size: 5 }) as object;
  assert.is(
    message(() => table.read("overrides", inherited)),
    '"overrides" expected a plain object, got an object',
  );
  for (const other of [null, 1, "text", [], new Map(), () => 1]) {
    assert.ok(message(() => table.read("options", other)).startsWith('"options" expected a plain object, got '));
  }
  Object.assign(Object.prototype, { size: 5, absent: 6 });
  try {
    const read = table.read("options", {});
    assert.equal([read.size, (read as { absent?: unknown }).absent], [1, undefined]);
  } finally {
    for (const name of ["size", "absent"]) delete (Object.prototype as unknown as Record<string, unknown>)[name];
  }
});

test("each property is read once", () => {
  let reads = 0;
  const options = {
    get size() {
      return ++reads;
    },
  };
  assert.is(table.read("options", options).size, 1);
  assert.is(reads, 1);
});

test("a table that extends another has its entries, and others in the place of some", () => {
  const more = table.extend({ size: [7, finite], colour: ["red"] });
  assert.equal(more.names, ["size", "kind", "other", "colour"]);
  assert.equal([more.has("colour"), table.has("colour"), more.has("absent")], [true, false, false]);
  assert.equal(more.read("options", {}), { absent: undefined, size: 7, kind: "small", other: null, colour: "red" });
});

test.run();
