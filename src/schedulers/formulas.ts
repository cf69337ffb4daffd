// The formulas that the kernels run for a call, with the coefficients of each batch element.

import { Coefficients } from "../kernels/coefficients.js";
import type { Formula } from "../kernels/update.js";
import { Mixture, root, setStep } from "../schedule/coefficients.js";
import { type ReadTimesteps, timestepOf } from "./operands.js";
import type { ReadHistory, Sampler } from "./sampler.js";
import type { ReadStep } from "./step-options.js";

// Written again for each batch element: nothing else runs between setting and storing them.
const coefficients = /* @__PURE__ */ new Coefficients();
const mixture = /* @__PURE__ */ new Mixture();

export type SetCombination = (into: Coefficients, signal: number, deviation: number) => void;

/** Of `addNoise` and `getVelocity`. */
export class CombinationFormula implements Formula {
  readonly #sampler: Sampler;
  readonly #timesteps: ReadTimesteps;
  readonly #set: SetCombination;
  readonly perElement: boolean;
  readonly guidanceRescale = 0;
  readonly thresholding = null;

  constructor(sampler: Sampler, timesteps: ReadTimesteps, set: SetCombination) {
    this.#sampler = sampler;
    this.#timesteps = timesteps;
    this.#set = set;
    this.perElement = typeof timesteps !== "number";
  }

  coefficientsOf(element: number): Coefficients {
    const alpha = this.#sampler.alphaAt(timestepOf(this.#timesteps, element));
    this.#set(coefficients, Math.sqrt(alpha), root(1 - alpha));
    return coefficients;
  }
}

/** Of a step. */
export class StepFormula implements Formula {
  private readonly sampler: Sampler;
  private readonly step: ReadStep;
  private readonly from: ReadTimesteps;
  private readonly to: ReadTimesteps;
  private readonly history: ReadHistory | null;
  readonly perElement: boolean;
  readonly guidanceRescale: number;
  readonly thresholding: Formula["thresholding"];

  constructor(sampler: Sampler, step: ReadStep, from: ReadTimesteps, to: ReadTimesteps, history: ReadHistory | null) {
    const { thresholding, dynamicThresholdingRatio, sampleMaxValue } = sampler.settings;
    this.sampler = sampler;
    this.step = step;
    this.from = from;
    this.to = to;
    this.history = history;
    this.guidanceRescale = step.guidanceRescale;
    this.thresholding = thresholding ? { ratio: dynamicThresholdingRatio, maxValue: sampleMaxValue } : null;
    this.perElement =
      thresholding ||
      step.guidanceRescale > 0 ||
      typeof from !== "number" ||
      typeof to !== "number" ||
      (history !== null && typeof history.timesteps !== "number");
  }

  coefficientsOf(element: number): Coefficients {
    const sampler = this.sampler;
    const { thresholding, clipSample, clipSampleRange, predictionType } = sampler.settings;
    const range = thresholding ? 1 : clipSample ? clipSampleRange : Infinity;
    const from = timestepOf(this.from, element);
    sampler.mix(mixture, from, timestepOf(this.to, element), this.step, this.history, element);
    const rederive = this.step.useClippedModelOutput ?? sampler.definition.rederives === true;
    setStep(coefficients, predictionType, sampler.alphaAt(from), mixture, range, rederive);
    return coefficients;
  }
}
