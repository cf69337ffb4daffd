// Error messages: each names the argument, what it takes and what it got.

/** The most characters that a message shows of what it quotes. */
const LONGEST_QUOTE = 40;

/** A value as an error message shows it: short, and without running the value's own code. */
export function show(value: unknown): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(shorten(value));
    case "bigint":
      return `${shorten(String(value))}n`;
    case "symbol":
      return "a symbol";
    case "function":
      return "a function";
    case "object":
      break;
    default:
      return String(value);
  }
  if (value === null) return "null";
  if (value instanceof Promise) return "a promise: await it first";
  if (ArrayBuffer.isView(value)) {
    const length = (value as { length?: number }).length ?? value.byteLength;
    return `${shorten(Object.prototype.toString.call(value).slice(8, -1))}(${shorten(String(length))})`;
  }
  if (Array.isArray(value)) {
    const first = value.slice(0, 8).map((item) => (typeof item === "object" ? "…" : show(item)));
    return `[${first.join(", ")}${value.length > 8 ? ", …" : ""}]`;
  }
  if (value instanceof Map) return "a Map";
  if (value instanceof Set) return "a Set";
  return "an object";
}

/** A text of at most 40 characters. */
export function shorten(text: string): string {
  return text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text;
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
