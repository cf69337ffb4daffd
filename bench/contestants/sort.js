// For scale: of a thresholded step only the sort that usually finds its quantile.

function prepare(task) {
  const { batch, length, sqrtAlpha, sqrtBeta } = task;
  const magnitudes = task.sample.map((x, i) => Math.abs((x - sqrtBeta * task.modelOutput[i]) / sqrtAlpha));
  const sorted = new Float32Array(length);
  const rows = Array.from({ length: batch }, (_, i) =>
    sorted.subarray((i * length) / batch, ((i + 1) * length) / batch),
  );
  const run = () => {
    sorted.set(magnitudes);
    for (const row of rows) row.sort();
  };
  return { run, result: () => sorted, unchecked: true };
}

const takesPart = (operation, type) => operation === "thresholded step" && type === "float32";

export default [{ name: "sort of |x0| alone", takesPart, prepare }];
