// Properties of a scheduler's configuration, of its timesteps, and of the noise that it adds and takes away.

import { test } from "uvu";
import * as assert from "uvu/assert";
import * as fc from "../fast-check.js";
import { halfToNumber } from "../binary16.js";
import { implementations } from "../implementations.js";
import { assertSameBits, type Data } from "../tensors.js";
import { makeScheduler, type SamplerCase, samplerCases } from "./samplers.js";
import { prepare, type StepCase, stepCases, stepOptions, takeStep } from "./steps.js";

const library = implementations.simd;
const refuse = (message: string): never => {
  throw new Error(`a warning: ${message}`);
};

/** Asserts that two schedulers make the same of a step. */
function assertSameSteps(step: StepCase, scheduler: any): void {
  const args = prepare(library, step);
  const [actual, expected] = [{ ...args, scheduler }, args].map((each) => takeStep(library, step, each));
  for (const name of ["prevSample", "predOriginalSample"] as const) {
    assertSameBits(actual![name], expected![name], name);
  }
}

test("what toConfig writes makes the same scheduler, as an object, as text, and by the name of its class", () => {
  fc.assert(
    fc.property(stepCases(), (step) => {
      const { sampler } = step.scheduler;
      const scheduler = makeScheduler(library, step.scheduler);
      const config = scheduler.toConfig();
      // Zero SNR with epsilon is told, and so are latents that are clipped.
      const { betaSchedule, clipSample, thresholding } = scheduler.config;
      const isTold = betaSchedule === "scaled_linear" && clipSample && !thresholding;
      const onWarning = isTold ? () => {} : refuse;
      for (const again of [
        (library[sampler] as any).fromConfig(config, {}, { onWarning }),
        (library[sampler] as any).fromConfig(JSON.stringify(config), undefined, { onWarning }),
        library.schedulerFromConfig(config, {}, { onWarning }),
      ]) {
        assert.is(again.constructor, library[sampler]);
        assert.equal(again.config, scheduler.config);
        assert.equal(again.toConfig(), config);
        for (const table of ["betas", "alphas", "alphasCumprod"]) assert.equal(again[table], scheduler[table]);
        again.setTimesteps(step.scheduler.steps);
        assert.equal(again.timesteps, scheduler.timesteps);
        assertSameSteps(step, again);
      }
    }),
    fc.runs(2400),
  );
});

test("a list of one's own is the spacing that makes it", () => {
  fc.assert(
    fc.property(stepCases(), (drawn) => {
      // DDIM's strides lead off the list, unless the options say "schedule".
      const { sampler, options } = drawn.scheduler;
      const own = sampler.startsWith("DDIM") ? { ...options, previousTimestep: "schedule" } : options;
      const step: StepCase = { ...drawn, scheduler: { ...drawn.scheduler, options: own } };
      const scheduler = makeScheduler(library, step.scheduler);
      const list: number[] = Array.from(scheduler.timesteps);
      list.sort((a, b) => b - a);
      for (const given of [list, Int32Array.from(list), BigInt64Array.from(list, BigInt)]) {
        const listed = new library[sampler](own as object);
        listed.setTimesteps(given);
        assert.equal(listed.timesteps, scheduler.timesteps);
        assert.is(listed.numInferenceSteps, scheduler.numInferenceSteps);
        assertSameSteps(step, listed);
      }
    }),
    fc.runs(2400),
  );
});

const toFloat64 = (data: Data): Float64Array =>
  data instanceof Uint16Array ? Float64Array.from(data, halfToNumber) : Float64Array.from(data);

/** One rounding to float32. */
const UNIT = 2 ** -24;

/** Samplers whose step with the true noise ends at the next level, and options that bound nothing. */
const exact = samplerCases([
  "DDIMScheduler",
  "DDIMInverseScheduler",
  "DPMSolverMultistepScheduler",
  "TCDScheduler",
]).map((drawn): SamplerCase => {
  const unbound = { thresholding: false, clipSample: false, computeDtype: "float32" };
  const isDpm = drawn.sampler.startsWith("DPM");
  const { clipSample, ...others } = unbound;
  return { ...drawn, options: { ...drawn.options, ...(isDpm ? others : { ...others, clipSample }) } };
});

test("noise that is added, and a step with the true noise, give the next level", () => {
  let worst = 0;
  fc.assert(
    fc.property(exact, fc.nat(7), fc.nat(2 ** 30), fc.integer({ min: 1, max: 50 }), (drawn, place, seed, length) => {
      const scheduler = makeScheduler(library, drawn);
      const t: number = scheduler.timesteps[place % scheduler.timesteps.length];
      const [image, noise] = [seed, seed + 1].map((each) => new library.Generator(each).randn([length]).data);
      const { predictionType } = scheduler.config;
      const isInverse = drawn.sampler === "DDIMInverseScheduler";
      const outer = isInverse ? scheduler.initialAlphaCumprod : scheduler.finalAlphaCumprod;
      const alphaAt = (timestep: number): number => (timestep < 0 ? outer : scheduler.alphasCumprod[timestep]);
      // The step goes to a level of its own: half of the way down.
      const other = Math.ceil(t / 2) - 1;
      const [from, to] = isInverse ? [other, t] : [t, other];
      const [a, p] = [alphaAt(from), alphaAt(to)];
      const [signal, deviation] = [Math.sqrt(a), Math.sqrt(1 - a)];
      const noised = Float32Array.from(image!, (x0, i) => signal * x0 + deviation * noise![i]!);
      if (from >= 0) {
        const added = scheduler.addNoise(image, noise, from);
        added.forEach((value: number, i: number) => {
          const size = Math.abs(signal * image![i]!) + Math.abs(deviation * noise![i]!);
          assert.ok(Math.abs(value - noised[i]!) <= 4 * UNIT * size, `addNoise: ${value} instead of ${noised[i]}`);
        });
      }
      const velocity = (): Float32Array => Float32Array.from(noise!, (z, i) => signal * z - deviation * image![i]!);
      const output = { epsilon: () => noise!, sample: () => image!, v_prediction: velocity }[
        predictionType as "epsilon"
      ]();
      const options = { prevTimestep: other, ...(drawn.sampler === "TCDScheduler" && { eta: 0 }) };
      const result: Float32Array = scheduler.step(output, noised, t, options);

      // What the step magnifies in its inputs, each a float32: x0 and eps as they come from the sample and the output.
      const [x0X, x0M, epsX, epsM] = {
        epsilon: [1 / signal, deviation / signal, 0, 1],
        sample: [0, 1, 1 / deviation, signal / deviation],
        v_prediction: [signal, deviation, deviation, signal],
      }[predictionType as "epsilon"] as [number, number, number, number];
      const [signalTo, deviationTo] = [Math.sqrt(p), Math.sqrt(1 - p)];
      const ofSample = signalTo * x0X + deviationTo * epsX;
      const ofOutput = signalTo * x0M + deviationTo * epsM;
      result.forEach((value, i) => {
        const truth = signalTo * image![i]! + deviationTo * noise![i]!;
        // An input is half a unit off by itself; its coefficient, product and two sums add a rounding each.
        const size = ofSample * Math.abs(noised[i]!) + ofOutput * Math.abs(output[i]!);
        const bound = 5 * UNIT * size;
        worst = Math.max(worst, Math.abs(value - truth) / bound);
        assert.ok(Math.abs(value - truth) <= bound, `${value} instead of ${truth}, bound ${bound}`);
      });
    }),
    fc.runs(8000),
  );
  assert.ok(worst > 0.1, `the bound is ${1 / worst} times what is needed`);
});

test("what a noised image is taken for is the image: LCM's prediction before its boundary condition", () => {
  fc.assert(
    fc.property(samplerCases(["LCMScheduler"]), fc.nat(7), fc.nat(2 ** 30), (drawn, place, seed) => {
      const options = { ...drawn.options, thresholding: false, clipSample: false, predictionType: "v_prediction" };
      const scheduler = makeScheduler(library, { ...drawn, options });
      const t: number = scheduler.timesteps[place % scheduler.timesteps.length];
      const [image, noise, fresh] = [0, 1, 2].map((each) => new library.Generator(seed + each).randn([16]).data);
      const [noised, velocity] = [scheduler.addNoise(image, noise, t), scheduler.getVelocity(image, noise, t)];
      const result = scheduler.step(velocity, noised, t, { varianceNoise: fresh, returnDict: true });
      // c_skip and c_out of the paper, with a deviation of the data of 0.5.
      const scaled = t * scheduler.config.timestepScaling;
      const [skip, out] = [0.25 / (scaled ** 2 + 0.25), scaled / Math.sqrt(scaled ** 2 + 0.25)];
      const bound = scheduler.config.computeDtype === "float16" ? 2 ** -9 : 2 ** -20;
      toFloat64(result.predOriginalSample).forEach((value, i) => {
        const truth = skip * noised[i]! + out * image![i]!;
        assert.ok(Math.abs(value - truth) <= bound * (1 + Math.abs(truth)), `${value} instead of ${truth}`);
      });
    }),
    fc.runs(1600),
  );
});

test("a step is pure: what came before it, and after, changes nothing", () => {
  fc.assert(
    fc.property(stepCases(), stepCases(), (step, other) => {
      const args = prepare(library, step);
      const expected = takeStep(library, step, args);
      takeStep(library, other);
      args.scheduler.addNoise(args.data.sample, args.data.sample, args.timesteps[0]);
      const again = takeStep(library, step, args);
      for (const name of ["prevSample", "predOriginalSample"] as const)
        assertSameBits(again[name], expected[name], name);
      // Without returnDict: the same sample.
      const make = (data: Data, dims: number[]): object => ({ data, dims });
      const options = { ...stepOptions(library, step, args, make), returnDict: false };
      const output = { data: args.data.modelOutput, dims: args.outputDims };
      const single = args.scheduler.step(output, { data: args.data.sample, dims: args.dims }, args.timestep, options);
      assertSameBits(single.data, expected.prevSample, "without returnDict");
    }),
    fc.runs(2400),
  );
});

test.run();
