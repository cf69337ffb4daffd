// The words of the library's errors: every message names the argument, what it takes and what it got.

/** A value as an error message shows it: short, and never by calling the value's own code. */
export function show(value: unknown): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
    case "bigint":
      return `${value}n`;
    case "function":
      return "a function";
    case "object":
      break;
    default:
      return String(value);
  }
  if (value === null) return "null";
  if (ArrayBuffer.isView(value)) {
    const length = (value as { length?: number }).length ?? value.byteLength;
    return `${Object.prototype.toString.call(value).slice(8, -1)}(${length})`;
  }
  if (Array.isArray(value)) {
    const first = value.slice(0, 8).map((item) => (typeof item === "object" ? "…" : show(item)));
    return `[${first.join(", ")}${value.length > 8 ? ", …" : ""}]`;
  }
  return "an object";
}

function message(name: string, expected: string, got: unknown): string {
  return `"${name}" expected ${expected}, got ${show(got)}`;
}

/** The error for the wrong kind of thing. */
export function wrongType(name: string, expected: string, got: unknown): TypeError {
  return new TypeError(message(name, expected, got));
}

/** The error for a value out of bounds. */
export function outOfRange(name: string, expected: string, got: unknown): RangeError {
  return new RangeError(message(name, expected, got));
}

/** `value` as a finite number within [low, high]; the interval is open at the ends that `expected` says are. */
export function checkNumber(
  name: string,
  value: unknown,
  expected: string,
  accepts: (value: number) => boolean,
): number {
  if (typeof value !== "number") throw wrongType(name, expected, value);
  if (!accepts(value)) throw outOfRange(name, expected, value);
  return value;
}

export function checkInteger(name: string, value: unknown, low: number, high = Infinity): number {
  const expected = high === Infinity ? `an integer >= ${low}` : `an integer in [${low}, ${high}]`;
  return checkNumber(name, value, expected, (v) => Number.isInteger(v) && v >= low && v <= high);
}

export function checkBoolean(name: string, value: unknown): boolean {
  if (typeof value !== "boolean") throw wrongType(name, "a boolean", value);
  return value;
}

/** `value` as one of the names of an enum. */
export function checkName<T extends string>(name: string, value: unknown, names: readonly T[]): T {
  if (names.includes(value as T)) return value as T;
  const expected = `one of ${names.map((item) => `"${item}"`).join(", ")}`;
  throw typeof value === "string" ? outOfRange(name, expected, value) : wrongType(name, expected, value);
}

/** Refuses anything but an object, and names in it that none of `known` has. */
export function checkOptions(name: string, options: unknown, ...known: readonly object[]): void {
  if (typeof options !== "object" || options === null || Array.isArray(options) || ArrayBuffer.isView(options)) {
    throw wrongType(name, "an object", options);
  }
  for (const key in options) {
    if (known.some((names) => Object.hasOwn(names, key))) continue;
    const names = known.flatMap((each) => Object.keys(each));
    throw new TypeError(`"${name}" has no option "${key}"; it takes ${names.join(", ")}`);
  }
}
