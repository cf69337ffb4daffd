// The figures as a picture: a panel for each way of clipping, a line for each sampler.

import { parse, View } from "vega";
import { compile } from "vega-lite";
import { CALLS, SAMPLERS } from "./samplers.js";

/** In the order of SAMPLERS: blue and green for DDIM, grey for DPM-Solver++ of order 1, orange and red for order 2. */
const COLOURS = ["#08519c", "#9ecae1", "#4292c6", "#a1d99b", "#238b45", "#969696", "#fdae6b", "#e6550d", "#a50f15"];

/**
 * @param {{ clipping: string, sampler: string, calls: number, distance: number }[]} results
 * @param {string[]} title its lines
 * @returns {Promise<string>} an SVG
 */
export function plotDistances(results, title) {
  const { spec } = compile({
    background: "white",
    padding: 12,
    title: { text: title, anchor: "start", fontWeight: "normal", offset: 14 },
    data: { values: results },
    facet: { column: { field: "clipping", title: null, sort: "descending", header: { labelFontSize: 13 } } },
    spec: {
      width: 270,
      height: 300,
      mark: { type: "line", point: { size: 22, aria: false }, strokeWidth: 1.8, aria: false },
      encoding: {
        x: {
          field: "calls",
          type: "quantitative",
          title: "model calls",
          scale: { type: "log", domain: [CALLS[0], CALLS.at(-1)] },
          axis: { values: CALLS, grid: false },
        },
        y: {
          field: "distance",
          type: "quantitative",
          title: "distance to the converged picture",
          scale: { type: "log", nice: false },
          axis: { values: [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5], format: "~g", gridColor: "#eee" },
        },
        color: {
          field: "sampler",
          type: "nominal",
          scale: { domain: SAMPLERS, range: COLOURS },
          legend: {
            title: null,
            orient: "bottom",
            columns: 2,
            symbolType: "stroke",
            symbolStrokeWidth: 3,
            labelFontSize: 12,
            labelLimit: 0,
          },
        },
        strokeDash: {
          condition: { test: "indexof(datum.sampler, 'DDIM') === 0", value: [5, 3] },
          value: [1, 0],
        },
      },
    },
    config: { view: { stroke: null }, axis: { labelFontSize: 11, titleFontSize: 12, titleFontWeight: "normal" } },
  });
  return new View(parse(spec), { renderer: "none" }).toSVG();
}
