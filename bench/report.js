// Prints the tables.

const NAME_WIDTH = 24;
const CELL_WIDTH = 27;

function formatTime(nanoseconds) {
  return nanoseconds < 99.95 ? nanoseconds.toFixed(2) : nanoseconds.toFixed(0);
}

function formatRatio(ratio) {
  return ratio.toFixed(ratio < 0.995 ? 2 : ratio < 9.95 ? 1 : 0);
}

function formatCell(times, base) {
  if (!times) return "-";
  const { median, minimum, lowerQuartile, upperQuartile } = times;
  const spread = Math.round((100 * (upperQuartile - lowerQuartile)) / median);
  const ratio = base ? `${formatRatio(median / base.median).padStart(5)}x` : "";
  return `${formatTime(median)} (${formatTime(minimum)} ${spread}%) ${ratio}`;
}

function formatRow(name, cells) {
  return `${name.padEnd(NAME_WIDTH)}${cells.map((cell) => cell.padStart(CELL_WIDTH)).join("")}`;
}

/** What the columns say. */
export const LEGEND =
  "nanoseconds an element: median (minimum, interquartile range in percent of the median), ratio to ddim-wasm's median";

/**
 * One operation in one type: a row for each contestant, a column for each shape.
 *
 * @param columns `{ shape, clipped, rows: [{ name, times, reason }] }`
 */
export function printOperation(title, columns) {
  console.log(`\n${formatRow(title, columns.map(({ shape }) => shape))}`); // prettier-ignore
  const reasons = new Map();
  columns[0].rows.forEach(({ name }, i) => {
    const cells = columns.map(({ rows }) => formatCell(rows[i].times, rows[0].times));
    console.log(formatRow(`  ${name}`, cells));
    const reason = columns.map(({ rows }) => rows[i].reason).find(Boolean);
    if (reason) reasons.set(reason, [...(reasons.get(reason) ?? []), name]);
  });
  const clipped = columns.map((column) => `${(100 * column.clipped).toFixed(1)}%`);
  if (columns.some((column) => column.clipped > 0)) console.log(formatRow("  (clipped elements)", clipped));
  for (const [reason, names] of reasons) console.log(`  - ${names.join("; ")}: ${reason}`);
}

/** The same of many shapes: a row for each of them, a column for each contestant. */
export function printSizes(title, columns) {
  console.log(`\n${formatRow(title, columns[0].rows.map(({ name }) => name))}`); // prettier-ignore
  for (const { shape, rows } of columns) {
    console.log(formatRow(`  ${shape}`, rows.map(({ times }) => formatCell(times, rows[0].times)))); // prettier-ignore
  }
}

export function printColdStart({ emptyProcess, runs, rows }) {
  console.log(
    `\ncold start: milliseconds from nothing to the first step on 16 elements, ${runs} processes each, ` +
      `less an empty process (${emptyProcess.toFixed(1)})`,
  );
  for (const { name, median, minimum } of rows) {
    const ratio = formatRatio(median / rows[0].median).padStart(5);
    console.log(`  ${name.padEnd(NAME_WIDTH)}${median.toFixed(1).padStart(8)} (${minimum.toFixed(1)}) ${ratio}x`);
  }
}
