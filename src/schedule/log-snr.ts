// lambda, half the logarithm of the ratio of signal to noise (arXiv 2211.01095): the time of DPM-Solver.

/** lambda at one alpha product less that at another: half the logarithm of the ratio of their signals to noise. */
export function lambdaBetween(from: number, to: number): number {
  return logarithm((to / (1 - to)) * ((1 - from) / from)) / 2;
}

/** The natural logarithm, in operations that all engines round alike, which Math.log is not. */
function logarithm(value: number): number {
  if (value === Infinity) return value;
  let factor = 2;
  for (; Math.abs(value - 1) > 0.05; factor *= 2) value = Math.sqrt(value);
  // log(value) = 2 artanh((value - 1) / (value + 1))
  const x = (value - 1) / (value + 1);
  const square = x * x;
  return factor * x * (1 + square * (1 / 3 + square * (1 / 5 + square * (1 / 7 + square / 9))));
}
