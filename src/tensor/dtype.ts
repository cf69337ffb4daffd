// The two types of values.

export const DTYPES = ["float32", "float16"] as const;

/**
 * The type of a tensor's values.
 *
 * @useDeclaredType
 */
export type DType = (typeof DTYPES)[number];

// As constructors make them: over an ArrayBuffer, where the compiler's library tells that apart.
/** float32 values in memory of their own. */
export type Float32Data = InstanceType<typeof Float32Array>;
/** binary16 bits in memory of their own. */
export type HalfData = InstanceType<typeof Uint16Array>;

/** What the kernels see of a typed array: floats, or the bits of halves. */
export type Values = Float32Array | Uint16Array;

/** Whether an array holds halves. */
export function isHalf(values: { readonly BYTES_PER_ELEMENT: number }): boolean {
  return values.BYTES_PER_ELEMENT === 2;
}

export function bytesEach(dtype: DType): number {
  return dtype === "float16" ? 2 : 4;
}

/**
 * New memory for `length` values; halves are bits in a Uint16Array.
 *
 * @throws RangeError, naming the argument `name`, where the engine has no memory for them
 */
export function newValues(dtype: DType, length: number, name: string): Float32Data | HalfData {
  return dtype === "float16" ? allocateArray(Uint16Array, length, name) : allocateArray(Float32Array, length, name);
}

/** A new typed array. @throws RangeError, naming the argument `name`, where the engine has no memory for it */
export function allocateArray<A>(Class: new (length: number) => A, length: number, name: string): A {
  try {
    return new Class(length);
  } catch (cause) {
    throw new RangeError(`"${name}" expected fewer elements: this engine has no memory for ${length}`, { cause });
  }
}
