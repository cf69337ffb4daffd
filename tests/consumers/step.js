// The step that every consumer makes: epsilon prediction, linear betas, no clipping, from timestep 500 to 250.

const SAMPLE = [1, -0.5, 0.25];
const MODEL_OUTPUT = [0.5, 0.25, -1];

/** The product of 1 - beta up to a timestep. */
function alphaCumprod(timestep) {
  let product = 1;
  for (let t = 0; t <= timestep; t++) product *= 1 - (0.0001 + (t / 999) * (0.02 - 0.0001));
  return product;
}

/** Formula 12 of arXiv 2010.02502 in float64, with eta = 0. */
function expected() {
  const [now, next] = [alphaCumprod(500), alphaCumprod(250)];
  return SAMPLE.map((x, i) => {
    const original = (x - Math.sqrt(1 - now) * MODEL_OUTPUT[i]) / Math.sqrt(now);
    return Math.sqrt(next) * original + Math.sqrt(1 - next) * MODEL_OUTPUT[i];
  });
}

/** The results in what a consumer printed: "result", and the three values. */
export function readAnswers(output) {
  return Array.from(output.matchAll(/result(?: -?\d+\.\d+){3}/g), ([text]) => text.split(" ").slice(1).map(Number));
}

/** The largest deviation of a result from the formula. */
export function deviation(answer) {
  const values = expected();
  return Math.max(...answer.map((value, i) => Math.abs(value - values[i])));
}
