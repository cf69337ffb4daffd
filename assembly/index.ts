// What the module exports. It imports nothing.

export { allocate, free, pieceLength, randomWords, stage } from "./memory";
export { original, update } from "./update";
export { addDeviations, beginDeviations, deviationRatio } from "./guidance";
export { blend } from "./blend";
export { decode, encode } from "./binary16";
export { beginSelection, count, narrow, selected, selectedNext } from "./quantile";
export {
  drawFewNormals,
  drawNormals,
  drawUniforms,
  drawWords,
  randomCached,
  randomHasCached,
  randomLeft,
  randomPosition,
  seedRandom,
  setRandom,
  transform,
} from "./random";

/** The cosine of the cosine noise schedule: an engine's own Math.cos may differ in the last bits. */
export { cos } from "./trigonometry";

/** The exponential of the sigmoid noise schedule, for the same reason. */
export function exp(x: f64): f64 {
  return NativeMath.exp(x);
}
