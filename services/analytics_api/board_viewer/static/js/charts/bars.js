// Bars: by category with axes, and as gauges with words.

import { display, fieldSettings, levelColor, share } from "../fields.js";
import { columnsOf, lastNotNull } from "../frames.js";
import { make } from "../dom.js";
import { colorOf } from "../theme.js";
import { baseAxis, baseOptions, paint, seriesColor, tooltip, valueAxis } from "./axes.js";

/** Columns side by side or stacked, a category each row. */
export function drawBarChart(body, { panel, frame }) {
  const columns = columnsOf(frame);
  const x = columns.find(({ name }) => name === panel.options.xField) ?? columns[0];
  const bars = columns.filter((column) => column !== x && column.kind === "number");
  const stacked = panel.options.stacking === "normal";
  const element = paint(body, {
    ...baseOptions(bars.map(({ name }) => name)),
    tooltip: tooltip(panel, (items) => items[0].axisValue, "shadow"),
    xAxis: { ...baseAxis("category"), data: x.values },
    yAxis: valueAxis(fieldSettings(panel, bars[0]?.name)),
    series: bars.map(({ name, values }, index) => {
      const settings = fieldSettings(panel, name);
      const opacity = (settings.custom.fillOpacity ?? 80) / 100;
      const borderRadius = stacked && index < bars.length - 1 ? 0 : [3, 3, 0, 0];
      const itemStyle = { color: seriesColor(settings, index), opacity, borderRadius };
      return { name, type: "bar", data: values, stack: stacked ? "all" : undefined, barMaxWidth: stacked ? 56 : 16, barGap: "12%", itemStyle };
    }),
  });
  const said = x.values.map((category, row) => `${category}: ${bars.map(({ values }) => values[row]).join(", ")}`);
  element.setAttribute("aria-label", `${panel.title}. ${said.join("; ")}`);
}

/** A gauge each number column, or each row where the panel says so. */
export function drawBarGauge(body, { panel, frame }) {
  const gauges = panel.options.reduceOptions?.values ? byRow(frame) : byColumn(frame);
  const greatest = Math.max(...gauges.map(({ value }) => value ?? 0), 0);
  const rows = gauges.map(({ name, field, value }) => {
    const settings = fieldSettings(panel, field);
    const color = colorOf(levelColor(value, settings) ?? "#5794F2");
    const width = `${(share(value, settings, greatest) * 100).toFixed(1)}%`;
    return make(
      "div",
      {},
      make("dt", {}, name),
      make("i", { "aria-hidden": "true", style: { "--share": width, "--color": color } }),
      make("dd", {}, display(value, settings).text),
    );
  });
  body.replaceChildren(make("dl", { class: "bars" }, ...rows));
}

function byColumn(frame) {
  const numbers = columnsOf(frame).filter(({ kind }) => kind === "number");
  return numbers.map(({ name, values }) => ({ name, field: name, value: lastNotNull(values) }));
}

function byRow(frame) {
  const columns = columnsOf(frame);
  const words = columns.find(({ kind }) => kind === "string");
  const numbers = columns.find(({ kind }) => kind === "number");
  return numbers.values.map((value, row) => ({ name: words?.values[row] ?? numbers.name, field: numbers.name, value }));
}
