// Halves, for the contestants that have none of their own.

import { Float16Array as SoftwareFloat16Array } from "@petamoriken/float16";

/** The engine's Float16Array, or that of @petamoriken/float16. */
export const Float16Array = globalThis.Float16Array ?? SoftwareFloat16Array;

export const FLOAT16_ARRAY_SOURCE = globalThis.Float16Array ? "the engine's" : "@petamoriken/float16's";

/** The value of each of the 65,536 halves. */
export const HALF_VALUES = Float32Array.from(new Float16Array(Uint16Array.from({ length: 65536 }, (_, i) => i).buffer));
