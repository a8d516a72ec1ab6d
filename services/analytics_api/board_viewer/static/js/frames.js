// From rows to series: what Grafana does between the query and the picture.

/** The first frame, after the panel's transformations. */
export function transformed(panel, frames) {
  let frame = frames[0];
  for (const { id, options } of panel.transformations ?? []) {
    if (id !== "groupingToMatrix") throw new Error(`the transformation ${id} is not drawn`);
    frame = groupingToMatrix(frame, options);
  }
  return frame;
}

/** The named columns of a frame with their values. */
export function columnsOf(frame) {
  return frame.columns.map(([name, kind], index) => ({ name, kind, values: frame.rows.map((row) => row[index]) }));
}

/** Lines of a time series: each number column, once for each combination of the words beside it. */
export function timeSeries(frame) {
  const time = frame.columns.findIndex(([, kind]) => kind === "time");
  const words = indexes(frame, "string");
  const lines = new Map();
  for (const row of frame.rows) {
    const label = words.map((index) => row[index]).join(" ");
    for (const index of indexes(frame, "number")) {
      const name = label || frame.columns[index][0];
      if (!lines.has(name)) lines.set(name, { name, points: [] });
      lines.get(name).points.push([row[time], row[index]]);
    }
  }
  return [...lines.values()];
}

/** Lines of a trend: every number column against the x column. */
export function trendSeries(frame, xField) {
  const x = frame.columns.findIndex(([name]) => name === xField);
  return indexes(frame, "number")
    .filter((index) => index !== x)
    .map((index) => ({ name: frame.columns[index][0], points: frame.rows.map((row) => [row[x], row[index]]) }));
}

/** The last value that is one. */
export const lastNotNull = (values) => values.findLast((value) => value !== null) ?? null;

function indexes(frame, kind) {
  return frame.columns.flatMap(([, of], index) => (of === kind ? [index] : []));
}

function groupingToMatrix(frame, { columnField, rowField, valueField, emptyValue }) {
  const [column, row, value] = [columnField, rowField, valueField].map((wanted) =>
    frame.columns.findIndex(([name]) => name === wanted),
  );
  const empty = emptyValue === "zero" ? 0 : null;
  const columns = [...new Set(frame.rows.map((cells) => cells[column]))];
  const rows = new Map();
  for (const cells of frame.rows) {
    if (!rows.has(cells[row])) rows.set(cells[row], Array(columns.length).fill(empty));
    rows.get(cells[row])[columns.indexOf(cells[column])] = cells[value];
  }
  return {
    refId: frame.refId,
    columns: [[`${rowField}\\${columnField}`, "string"], ...columns.map((name) => [String(name), "number"])],
    rows: [...rows].map(([name, values]) => [name, ...values]),
  };
}
