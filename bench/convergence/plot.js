// The figures as pictures.

import { parse, View } from "vega";
import { compile } from "vega-lite";
import { ETA_CALLS, ETAS } from "./known-data.js";
import { CALLS, SAMPLERS } from "./samplers.js";

/** In the order of SAMPLERS: blue and green for DDIM, grey for DPM-Solver++ of order 1, orange and red for order 2. */
const SAMPLER_COLOURS = [
  "#08519c",
  "#9ecae1",
  "#4292c6",
  "#a1d99b",
  "#238b45",
  "#969696",
  "#fdae6b",
  "#e6550d",
  "#a50f15",
];
/** In the order of ETAS. */
const ETA_COLOURS = ["#08519c", "#4292c6", "#969696", "#fdae6b", "#e6550d"];

/** Lines of distance against model calls, both on logarithmic scales, with a legend below. */
function linesOf({ calls, distanceTitle, distances, legendTitle, legendColumns, field, values, colours }) {
  return {
    width: 270,
    height: 300,
    mark: { type: "line", point: { size: 22, aria: false }, strokeWidth: 1.8, aria: false },
    encoding: {
      x: {
        field: "calls",
        type: "quantitative",
        title: "model calls",
        scale: { type: "log", domain: [calls[0], calls.at(-1)] },
        axis: { values: calls, grid: false },
      },
      y: {
        field: "distance",
        type: "quantitative",
        title: distanceTitle,
        scale: { type: "log", nice: false },
        axis: { values: distances, format: "~g", gridColor: "#eee" },
      },
      color: {
        field,
        type: "nominal",
        scale: { domain: values, range: colours },
        legend: {
          title: legendTitle,
          orient: "bottom",
          columns: legendColumns,
          symbolType: "stroke",
          symbolStrokeWidth: 3,
          labelFontSize: 12,
          labelLimit: 0,
        },
      },
    },
  };
}

/** @returns {Promise<string>} an SVG */
function drawSvg(title, results, chart) {
  const { spec } = compile({
    background: "white",
    padding: 12,
    title: { text: title, anchor: "start", fontWeight: "normal", offset: 14 },
    data: { values: results },
    config: { view: { stroke: null }, axis: { labelFontSize: 11, titleFontSize: 12, titleFontWeight: "normal" } },
    ...chart,
  });
  return new View(parse(spec), { renderer: "none" }).toSVG();
}

/**
 * The distance to the converged picture: a panel for each way of clipping, a line for each sampler.
 *
 * @param {{ clipping: string, sampler: string, calls: number, distance: number }[]} results
 * @param {string[]} title its lines
 * @returns {Promise<string>} an SVG
 */
export function plotDistances(results, title) {
  const lines = linesOf({
    calls: CALLS,
    distanceTitle: "distance to the converged picture",
    distances: [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5],
    legendTitle: null,
    legendColumns: 2,
    field: "sampler",
    values: SAMPLERS,
    colours: SAMPLER_COLOURS,
  });
  lines.encoding.strokeDash = {
    condition: { test: "indexof(datum.sampler, 'DDIM') === 0", value: [5, 3] },
    value: [1, 0],
  };
  return drawSvg(title, results, {
    facet: { column: { field: "clipping", title: null, sort: "descending", header: { labelFontSize: 13 } } },
    spec: lines,
  });
}

/**
 * The distance to the data: a line for each eta.
 *
 * @param {{ eta: number, calls: number, distance: number }[]} results
 * @param {string[]} title its lines
 * @returns {Promise<string>} an SVG
 */
export function plotEta(results, title) {
  const lines = linesOf({
    calls: ETA_CALLS,
    distanceTitle: "distance to the data",
    distances: [0.002, 0.005, 0.01, 0.02, 0.05, 0.1],
    legendTitle: "eta",
    legendColumns: ETAS.length,
    field: "eta",
    values: ETAS,
    colours: ETA_COLOURS,
  });
  return drawSvg(title, results, { ...lines, width: 440 });
}
