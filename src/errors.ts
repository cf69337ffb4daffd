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
