// The contestants. Each file exports a list of `{ name, takesPart?(operation, type), bySize?, prepare(task) }`. Where
// `takesPart` denies it, a contestant has no row in the table; where `bySize` is true, it is also measured in tensors of
// all sizes. `prepare` may be asynchronous, and throws to say why there is no number in the row. What it returns has
//
//     run()           does the task once, from the user's inputs to the user's result
//     asynchronous    whether run() returns a promise
//     result()        the last result: floats, or halves in any form
//     dispose()       optional
//     unchecked       optional: true for what is measured for scale and has no result to check
//     roundsEachOperation   optional: true for one that rounds to a half after each operation

const FILES = [
  "ddim-wasm",
  "kernel",
  "plain-loop",
  "plain-loop-bits",
  "tensor-chain",
  "tfjs",
  "onnxruntime-web",
  "sort",
  "memory-copy",
];

/** A file is loaded once for each type, so that the engine sees one kind of array in each of its loops. */
export async function loadContestants(type) {
  const modules = await Promise.all(FILES.map((file) => import(`./${file}.js?${type}`)));
  return modules.flatMap((module) => module.default);
}
