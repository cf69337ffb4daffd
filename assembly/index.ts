// What the module exports. It imports nothing.

export {
  coefficientRecordCount,
  coefficientRecords,
  elementStatistics,
  grow,
  heapBase,
  randomState,
  randomStateWords,
  stage,
  stageCount,
} from "./memory";
export { update } from "./update";
export { addDeviations, beginDeviations, deviationRatio, deviationRatios } from "./deviation";
export { blend } from "./blend";
export { firstNotFinite } from "./finite";
export { decode, encode } from "./binary16";
export { beginSelection, count, narrow, quantile, quantiles } from "./quantile";
export { drawFewNormals, drawNormals, drawUniforms, drawWords, seedRandom } from "./random";
export { cosines, exponentials } from "./tables";
