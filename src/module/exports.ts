// What the WebAssembly module exports. Addresses are byte offsets into `memory`.

export interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  stage(index: number): number;
  stageCount(): number;
  coefficientRecords(): number;
  coefficientRecordCount(): number;
  elementStatistics(): number;
  randomState(): number;
  randomStateWords(): number;
  heapBase(): number;
  grow(pages: number): number;
  // prettier-ignore
  update(
    out: number, original: number, x: number, m: number, cond: number, noise: number,
    length: number, count: number, guidance: number,
  ): void;
  blend(out: number, from: number, to: number, weights: number, weight: number, n: number): void;
  firstNotFinite(values: number, n: number): number;
  beginDeviations(cond: number, guided: number): void;
  addDeviations(cond: number, guided: number, n: number): void;
  deviationRatio(n: number): number;
  deviationRatios(cond: number, guided: number, length: number, count: number): void;
  beginSelection(length: number, index: number): void;
  count(values: number, n: number): void;
  narrow(): number;
  quantile(weight: number): number;
  quantiles(values: number, length: number, count: number, index: number, weight: number): void;
  decode(out: number, source: number, n: number): void;
  encode(out: number, source: number, n: number): void;
  seedRandom(seed: number): void;
  drawWords(out: number, n: number): void;
  drawUniforms(out: number, n: number, half: boolean): void;
  drawNormals(out: number, n: number, half: boolean): void;
  drawFewNormals(out: number, n: number): void;
  cosines(values: number, n: number): void;
  exponentials(values: number, n: number): void;
}
