// A fixed programme through the whole library, and one SHA-256 over all bits that it computes. ECMAScript's own
// globals only: it runs in engines that have no others.

/**
 * @param {typeof import("ddim-wasm")} library
 * @returns {string} 64 hexadecimal digits
 */
export function digest(library) {
  const hash = new Sha256();
  programme(library, (values) => hash.update(canonicalBytes(values)));
  return hash.finish();
}

const SPACINGS = ["linspace", "leading", "trailing"];
const PREDICTION_TYPES = ["epsilon", "sample", "v_prediction"];

/** Runs the library, and hands each array of results to `take`. */
function programme(library, take) {
  const { DDIMScheduler, DDIMInverseScheduler, Generator, allocate, latentToRgb, SD1_LATENT_RGB } = library;
  const { LCMScheduler, TCDScheduler, DPMSolverMultistepScheduler } = library;

  for (const options of [
    { betaSchedule: "linear" },
    { betaSchedule: "scaled_linear", betaStart: 0.00085, betaEnd: 0.012 },
    { betaSchedule: "squaredcos_cap_v2" },
    { betaSchedule: "sigmoid" },
    { betaSchedule: "linear", rescaleBetasZeroSnr: true, predictionType: "v_prediction" },
    { trainedBetas: [0.1, 0.2, 0.5, 1] },
  ]) {
    const scheduler = new DDIMScheduler(options);
    take(scheduler.betas);
    take(scheduler.alphasCumprod);
  }
  for (const timestepSpacing of SPACINGS) {
    const scheduler = new DDIMScheduler({ timestepSpacing });
    for (const steps of [1, 7, 20, 61, 999]) {
      scheduler.setTimesteps(steps);
      take(scheduler.timesteps);
    }
  }

  for (const seed of [0, 42, -1, 18446744073709551615n]) {
    const generator = new Generator(seed);
    for (const length of [1, 5, 16, 17, 1000]) {
      for (const type of ["float32", "float16"]) {
        take(generator.randn([length], { type }).data);
        take(generator.rand([length], { type }).data);
      }
      take(generator.randint(-5, 1000, [length]));
      take(generator.randint(0n, 1n << 40n, [length]));
    }
    take(generator.getState());
  }
  take(new Generator(1).randn([20000]).data);

  const dims = [3, 4, 5, 7];
  const doubledDims = [6, 4, 5, 7];
  for (const type of ["float32", "float16"]) {
    const draw = (seed, shape) => inContainerOf(type, new Generator(seed).randn(shape, { type }));
    const [x, m, noise] = [1, 2, 4].map((seed) => draw(seed, dims));
    const doubled = draw(3, doubledDims);
    const generators = () => [5, 6, 7].map((seed) => new Generator(seed));
    for (const predictionType of PREDICTION_TYPES) {
      for (const limits of [{ clipSample: false }, { clipSample: true }, { thresholding: true, sampleMaxValue: 1.5 }]) {
        for (const computeDtype of ["float32", "float16"]) {
          const scheduler = new DDIMScheduler({ predictionType, computeDtype, ...limits });
          scheduler.setTimesteps(20);
          take(scheduler.step(m, x, 500).data);
          take(scheduler.step(m, x, [999, 500, 0], { useClippedModelOutput: true }).data);
          take(scheduler.step(m, x, 500, { eta: 1, generator: new Generator(5) }).data);
          take(scheduler.step(m, x, 500, { eta: 0.5, generator: generators() }).data);
          const options = { guidanceScale: 3, guidanceRescale: 0.7, eta: 1, varianceNoise: noise, returnDict: true };
          const { prevSample, predOriginalSample } = scheduler.step(doubled, x, 950, { ...options, prevTimestep: 400 });
          take(prevSample.data);
          take(predOriginalSample.data);
          scheduler.setTimesteps([999, 700, 30]);
          take(scheduler.step(m, x, [999, 700, 30]).data);
          take(scheduler.addNoise(x, noise, [0, 500, 999]).data);
          take(scheduler.getVelocity(x, noise, 500).data);
        }
      }
    }
    const inverse = new DDIMInverseScheduler();
    inverse.setTimesteps(20);
    for (const t of [0, 500, 950]) take(inverse.step(m, x, t).data);
    take(latentToRgb(x, SD1_LATENT_RGB, { element: 1 }).data);

    for (const predictionType of PREDICTION_TYPES) {
      for (const limits of [{}, { thresholding: true, sampleMaxValue: 1.5 }]) {
        for (const scheduler of [
          new LCMScheduler({ predictionType, ...limits }),
          new TCDScheduler({ predictionType }),
        ]) {
          scheduler.setTimesteps(8);
          take(scheduler.timesteps);
          const options = { generator: new Generator(5), returnDict: true };
          for (const t of scheduler.timesteps) {
            const { prevSample, predOriginalSample } = scheduler.step(m, x, t, options);
            take(prevSample.data);
            take(predOriginalSample.data);
          }
        }
        for (const solverType of ["midpoint", "heun"]) {
          for (const timestepSpacing of SPACINGS) {
            // Every coefficient of every step of runs, in which lambda takes a logarithm.
            const options = { predictionType, solverType, timestepSpacing, finalSigmasType: "sigma_min", ...limits };
            const scheduler = new DPMSolverMultistepScheduler(options);
            scheduler.setTimesteps(20);
            take(scheduler.timesteps);
            let history;
            for (const timestep of scheduler.timesteps) {
              const result = scheduler.step(m, x, timestep, { history, returnDict: true });
              take(result.prevSample.data);
              history = { predOriginalSample: result.predOriginalSample, timestep };
            }
            // Variances beside the prediction: the doubled batch as doubled channels.
            const both = { ...doubled, dims: [3, 8, 5, 7] };
            take(scheduler.step(both, x, scheduler.timesteps[9], { learnedVariance: true }).data);
          }
        }
      }
    }
  }

  // Values that are none, or beyond all bounds.
  const scheduler = new DDIMScheduler();
  scheduler.setTimesteps(20);
  const special = [NaN, Infinity, -Infinity, -0, 0, 1e-40, -1e-45, 3e38, 65504, 65520, 6e-8, 1, -1, 2, 0.5, 0.1, 7];
  for (const options of [{}, { useClippedModelOutput: true }]) {
    take(scheduler.step(Float32Array.from(special).reverse(), Float32Array.from(special), 500, options));
  }

  // A loop, on resident tensors and with noise.
  const sample = allocate([1, 1, 8, 8]);
  const modelOutput = allocate([1, 1, 8, 8]);
  const generator = new Generator(8);
  generator.randn(sample.dims, { out: sample });
  scheduler.setTimesteps(50);
  for (const t of scheduler.timesteps) {
    generator.randn(modelOutput.dims, { out: modelOutput });
    scheduler.step(modelOutput, sample, t, { eta: 1, generator, out: sample });
  }
  take(sample.data);
  sample.free();
  modelOutput.free();
}

/** Halves in a Float16Array where the engine has it, elsewhere as bits: the results' bytes are the same. */
function inContainerOf(type, tensor) {
  if (type !== "float16" || typeof Float16Array === "undefined") return tensor;
  return { ...tensor, data: new Float16Array(tensor.data.buffer) };
}

/** The bytes of an array's values, every NaN the same; the lowest byte first, as in every engine there is. */
function canonicalBytes(values) {
  const copy = values.slice();
  const bytes = new Uint8Array(copy.buffer);
  if (copy instanceof Float32Array || copy instanceof Float64Array) {
    const bits = new Uint32Array(copy.buffer);
    const words = copy.BYTES_PER_ELEMENT / 4;
    copy.forEach((value, i) => {
      if (value !== value) bits.fill(0x7fc00000, i * words, (i + 1) * words);
    });
  }
  return bytes;
}

/** SHA-256, FIPS 180-4. */
class Sha256 {
  #state = fractions((prime) => prime ** (1 / 2)).slice(0, 8);
  #constants = fractions((prime) => prime ** (1 / 3));
  #block = new Uint8Array(64);
  #schedule = new Uint32Array(64);
  #length = 0;

  update(bytes) {
    for (const byte of bytes) {
      this.#block[this.#length++ % 64] = byte;
      if (this.#length % 64 === 0) this.#compress();
    }
  }

  finish() {
    const bits = this.#length * 8;
    this.update([0x80]);
    while (this.#length % 64 !== 56) this.update([0]);
    for (let shift = 56; shift >= 0; shift -= 8) this.update([Math.floor(bits / 2 ** shift) % 256]);
    return this.#state.map((word) => word.toString(16).padStart(8, "0")).join("");
  }

  #compress() {
    const w = this.#schedule;
    const block = this.#block;
    for (let i = 0; i < 16; i++) {
      w[i] = (block[4 * i] << 24) | (block[4 * i + 1] << 16) | (block[4 * i + 2] << 8) | block[4 * i + 3];
    }
    for (let i = 16; i < 64; i++) {
      const s0 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ (w[i - 15] >>> 3);
      const s1 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ (w[i - 2] >>> 10);
      w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    let [a, b, c, d, e, f, g, h] = this.#state;
    for (let i = 0; i < 64; i++) {
      const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + this.#constants[i] + w[i]) | 0;
      const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) | 0, c, b, a, (t1 + t2) | 0];
    }
    this.#state = [a, b, c, d, e, f, g, h].map((word, i) => (word + this.#state[i]) >>> 0);
  }
}

function rotate(word, bits) {
  return (word >>> bits) | (word << (32 - bits));
}

/** The first 32 bits of the fractions of the roots of the first 64 primes. */
function fractions(root) {
  const primes = [];
  for (let n = 2; primes.length < 64; n++) if (primes.every((prime) => n % prime > 0)) primes.push(n);
  return primes.map((prime) => Math.floor((root(prime) % 1) * 2 ** 32));
}
