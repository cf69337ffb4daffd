// The operations as ONNX graphs.

import { FLOAT, float, FLOAT16, Graph, integer, integerList } from "./onnx-model.js";

function predict(graph, x, m, { sqrtAlpha, sqrtBeta }) {
  const difference = graph.operation("Sub", [x, graph.operation("Mul", [m, graph.number(sqrtBeta)])]);
  return graph.operation("Mul", [difference, graph.number(1 / sqrtAlpha)]);
}

function blend(graph, a, scaleA, b, scaleB) {
  return graph.operation("Add", [
    graph.operation("Mul", [a, graph.number(scaleA)]),
    graph.operation("Mul", [b, graph.number(scaleB)]),
  ]);
}

function clip(graph, value, minimum, maximum) {
  return graph.operation("Clip", [value, graph.number(minimum), graph.number(maximum)]);
}

function guide(graph, m, { guidanceScale }) {
  const [uncond, cond] = graph.operations("Split", [m], 2, [integer("axis", 0)]);
  const difference = graph.operation("Sub", [cond, uncond]);
  return graph.operation("Add", [uncond, graph.operation("Mul", [difference, graph.number(guidanceScale)])]);
}

function threshold(graph, x0, { batch, length, threshold: { ratio, sampleMaxValue } }) {
  const rank = ratio * (length / batch - 1);
  const low = Math.floor(rank);
  const count = length / batch - low;
  const magnitudes = graph.operation("Abs", [x0]);
  const [largest] = graph.operations("TopK", [magnitudes, graph.integers(count)], 2);
  const value = (index) =>
    graph.operation("Slice", [largest, graph.integers(index), graph.integers(index + 1), graph.integers(1)]);
  const quantile = blend(graph, value(count - 2), rank - low, value(count - 1), 1 - (rank - low));
  return clip(graph, graph.operation("Div", [x0, clip(graph, quantile, 1, sampleMaxValue)]), -1, 1);
}

function step(graph, x, m, task, bound) {
  const x0 = bound(predict(graph, x, m, task));
  return blend(graph, x0, task.sqrtAlphaPrev, m, task.sqrtBetaPrev);
}

const GRAPHS = {
  "linear step": (graph, x, m, task) => step(graph, x, m, task, (x0) => x0),
  "clipped step": (graph, x, m, task) => step(graph, x, m, task, (x0) => clip(graph, x0, -1, 1)),
  "guided clipped step": (graph, x, m, task) => GRAPHS["clipped step"](graph, x, guide(graph, m, task), task),
  "thresholded step": (graph, x, m, task) => step(graph, x, m, task, (x0) => threshold(graph, x0, task)),
  addNoise: (graph, x, noise, task) => blend(graph, x, task.sqrtAlpha, noise, task.sqrtBeta),
};

/** The bytes of a model that does the task on inputs `{ name: { dims } }`. */
export function makeModel(task, inputs) {
  const { operation, type, batch, length } = task;
  const elementType = type === "float16" ? FLOAT16 : FLOAT;
  const dims = [batch, length / batch];
  const graph = new Graph();
  let result;
  if (operation === "randn") {
    result = graph.operation("RandomNormal", [], [integerList("shape", dims), float("seed", 1)]);
  } else {
    // Arithmetic is in floats: the backend has no kernels for halves.
    const values = Object.entries(inputs).map(([name, { dims }]) => {
      const value = graph.input(name, elementType, dims);
      return type === "float16" ? graph.operation("Cast", [value], [integer("to", FLOAT)]) : value;
    });
    result = GRAPHS[operation](graph, ...values, task);
  }
  if (type === "float16") result = graph.operation("Cast", [result], [integer("to", FLOAT16)]);
  return graph.encode(result, elementType, dims);
}
