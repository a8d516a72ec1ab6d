// Lines and bars over time, and lines over the book's days.

import { fieldSettings } from "../fields.js";
import { format } from "../format.js";
import { timeSeries, trendSeries } from "../frames.js";
import { baseAxis, baseOptions, clockHead, dayHead, levelLines, paint, seriesColor, tooltip, valueAxis } from "./axes.js";

/** A picture over the dashboard's range. */
export function drawTimeSeries(body, { panel, frame, range }) {
  const lines = timeSeries(frame);
  const axis = { ...baseAxis("time"), min: range.from, max: range.to };
  axis.axisLabel.formatter = { hour: "{HH}:{mm}", minute: "{HH}:{mm}", second: "{HH}:{mm}:{ss}", day: "{d} {MMM}" };
  draw(body, panel, lines, axis, clockHead, "time");
}

/** A picture whose x axis is a column of the query. */
export function drawTrend(body, { panel, frame }) {
  const lines = trendSeries(frame, panel.options.xField);
  const isDay = fieldSettings(panel, panel.options.xField).unit?.startsWith("time:");
  const axis = isDay
    ? { ...baseAxis("time"), minInterval: 86_400_000 }
    : { ...baseAxis("value"), min: "dataMin", max: "dataMax" };
  if (isDay) axis.axisLabel.formatter = { day: "{d} {MMM}", month: "{d} {MMM}", year: "{d} {MMM}" };
  draw(body, panel, lines, axis, isDay ? dayHead : (items) => format(items[0].axisValue), isDay ? "days" : undefined);
}

function draw(body, panel, lines, axis, head, group) {
  const first = fieldSettings(panel, lines[0]?.name);
  const element = paint(
    body,
    {
      ...baseOptions(lines.map(({ name }) => name)),
      tooltip: tooltip(panel, head),
      xAxis: axis,
      yAxis: valueAxis(first),
      series: lines.map((line, index) => seriesOf(panel, line, index)),
    },
    group,
  );
  element.setAttribute("aria-label", spoken(panel, lines));
}

function seriesOf(panel, { name, points }, index) {
  const settings = fieldSettings(panel, name);
  const color = seriesColor(settings, index);
  const { drawStyle, lineInterpolation, lineWidth = 2, fillOpacity = 0, lineStyle, pointSize = 7 } = settings.custom;
  if (drawStyle === "bars") {
    return { name, type: "bar", data: points, barMaxWidth: 14, itemStyle: { color, opacity: fillOpacity / 100, borderRadius: [3, 3, 0, 0] } };
  }
  if (drawStyle === "points") {
    return { name, type: "scatter", data: points.filter(([, value]) => value !== null), symbolSize: pointSize, itemStyle: { color }, z: 3 };
  }
  const lonely = points.filter(([, value]) => value !== null).length < 2;
  return {
    name,
    type: "line",
    data: points,
    step: lineInterpolation === "stepAfter" ? "end" : false,
    showSymbol: lonely,
    symbolSize: 7,
    sampling: "lttb",
    lineStyle: { width: lineWidth, color, type: lineStyle?.fill === "dash" ? "dashed" : "solid" },
    itemStyle: { color },
    areaStyle: fillOpacity && lineStyle?.fill !== "dash" ? { color, opacity: fillOpacity / 100 } : undefined,
    emphasis: { disabled: true },
    markLine: index === 0 ? levelLines(settings) : undefined,
  };
}

function spoken(panel, lines) {
  const last = lines.map(({ name, points }) => {
    const settings = fieldSettings(panel, name);
    const value = points.findLast(([, of]) => of !== null)?.[1];
    return `${name} ${format(value ?? null, settings.unit, settings.decimals)}`;
  });
  return `${panel.title}: ${last.join(", ")}`;
}
