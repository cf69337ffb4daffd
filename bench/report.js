// Prints the tables.

const NAME_WIDTH = 24;
const CELL_WIDTH = 27;

function formatTime(nanoseconds) {
  return nanoseconds < 99.95 ? nanoseconds.toFixed(2) : nanoseconds.toFixed(0);
}

function formatRatio(ratio) {
  return ratio.toFixed(ratio < 0.995 ? 2 : ratio < 9.95 ? 1 : 0);
}

/** @param unit in nanoseconds */
function formatCell(times, ratio, unit = 1) {
  if (!times) return "-";
  const { median, minimum, lowerQuartile, upperQuartile } = times;
  const spread = Math.round((100 * (upperQuartile - lowerQuartile)) / median);
  const suffix = ratio === undefined ? "" : `${formatRatio(ratio).padStart(5)}x`;
  return `${formatTime(median / unit)} (${formatTime(minimum / unit)} ${spread}%) ${suffix}`;
}

/** How many times as long as the first contestant's the times of another are. */
function compare(times, first) {
  return times && first ? times.median / first.median : undefined;
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
    const cells = columns.map(({ rows }) => formatCell(rows[i].times, compare(rows[i].times, rows[0].times)));
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
    console.log(formatRow(`  ${shape}`, rows.map(({ times }) => formatCell(times, compare(times, rows[0].times))))); // prettier-ignore
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

/** What the columns of the corners say. */
export const CORNERS_LEGEND =
  "slow corners: median (minimum, interquartile range in percent of the median), ddim-wasm's median as a multiple of it";

/** A group of corners: a row for each of them, a column for each contestant. */
export function printCorners({ title, unit, nanoseconds, over, rows }) {
  const names = [...new Set(rows.flatMap(({ contestants }) => contestants.map(({ name }) => name)))];
  const last = over ? [`over ${over}`] : [];
  console.log(`\n${title}: ${unit}`);
  console.log(formatRow("", [...names, ...last]));
  for (const { name, contestants } of rows) {
    const timesOf = (column) => contestants.find(({ name }) => name === column)?.times;
    const [first] = contestants;
    const cells = names.map((column) => {
      const times = timesOf(column);
      return formatCell(times, column === first.name ? undefined : compare(first.times, times), nanoseconds);
    });
    const rest = timesOf(over) && first.times ? first.times.median - timesOf(over).median : NaN;
    console.log(formatRow(`  ${name}`, over ? [...cells, formatTime(rest / nanoseconds)] : cells));
    for (const { name, reason } of contestants) if (reason) console.log(`  - ${name}: ${reason}`);
  }
}
