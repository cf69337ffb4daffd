// What the module exports. It imports nothing.

export { grow, heapBase, randomState, stage } from "./memory";
export { update } from "./update";
export { addDeviations, beginDeviations, deviationRatio } from "./deviation";
export { blend } from "./blend";
export { decode, encode } from "./binary16";
export { beginSelection, count, narrow, selected, selectedNext } from "./quantile";
export { drawFewNormals, drawNormals, drawUniforms, drawWords, seedRandom } from "./random";
export { cosines, exponentials } from "./tables";
