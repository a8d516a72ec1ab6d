// What all pictures with axes share.

import { fieldSettings, levels } from "../fields.js";
import { clock, day, format } from "../format.js";
import { SERIES, colorOf, token } from "../theme.js";

const instances = new WeakMap();
const resized = new ResizeObserver((entries) => entries.forEach(({ target }) => instances.get(target)?.resize()));

/** Put a picture's options on its element, keeping what is there so that it moves instead of blinking. */
export function paint(body, options, group) {
  let element = body.querySelector(".chart");
  if (!element) {
    element = document.createElement("div");
    element.className = "chart";
    element.setAttribute("role", "img");
    body.replaceChildren(element);
    const made = echarts.init(element, null, { renderer: "canvas", useDirtyRect: false });
    instances.set(element, made);
    resized.observe(element);
    if (group) {
      made.group = group;
      echarts.connect(group);
    }
  }
  instances.get(element).setOption(options, { replaceMerge: ["series", "xAxis", "yAxis", "legend"] });
  return element;
}

/** Forget a picture before something else takes its place. */
export function unpaint(body) {
  const element = body.querySelector(".chart");
  if (!element) return;
  resized.unobserve(element);
  instances.get(element)?.dispose();
}

/** Options that every picture starts from. */
export function baseOptions(names) {
  const quiet = matchMedia("(prefers-reduced-motion: reduce)").matches;
  return {
    animationDuration: quiet ? 0 : 500,
    animationDurationUpdate: quiet ? 0 : 400,
    textStyle: { fontFamily: "Inter, system-ui, sans-serif", fontSize: 11.5 },
    grid: { left: 10, right: 20, top: 12, bottom: names.length > 1 ? 30 : 8, containLabel: true },
    legend: {
      show: names.length > 1,
      data: names,
      type: "scroll",
      bottom: 4,
      left: 10,
      itemWidth: 12,
      itemHeight: 4,
      itemGap: 16,
      icon: "roundRect",
      inactiveColor: token("--line"),
      textStyle: { color: token("--soft"), fontSize: 11.5 },
    },
    useUTC: true,
  };
}

/** The value axis in the panel's unit. */
export function valueAxis(settings) {
  return {
    type: "value",
    min: settings.min,
    max: settings.max,
    splitNumber: 4,
    axisLabel: { color: token("--muted"), formatter: (value) => tick(value, settings) },
    splitLine: { lineStyle: { color: token("--line"), opacity: 0.7 } },
  };
}

/** The look of an axis that carries time, days or categories. */
export function baseAxis(type) {
  return {
    type,
    axisLine: { lineStyle: { color: token("--line") } },
    axisTick: { show: false },
    axisLabel: { color: token("--muted"), hideOverlap: true },
    splitLine: { show: false },
  };
}

/** A tooltip that lists every series at the pointer. */
export function tooltip(panel, head, pointer = "line") {
  return {
    trigger: "axis",
    confine: true,
    axisPointer: { type: pointer, lineStyle: { color: token("--muted"), type: "dashed" }, shadowStyle: { opacity: 0.08 } },
    backgroundColor: token("--raised"),
    borderColor: token("--line"),
    padding: [8, 12],
    textStyle: { color: token("--text"), fontSize: 12 },
    formatter: (items) => told(panel, items, head),
  };
}

/** The colour of a series: the board's, else the next of ours. */
export function seriesColor(settings, index) {
  const fixed = settings.color?.mode === "fixed" ? settings.color.fixedColor : undefined;
  return colorOf(fixed ?? SERIES[index % SERIES.length]);
}

/** Dashed lines at the panel's levels. */
export function levelLines(settings) {
  if (!settings.custom.thresholdsStyle?.mode?.startsWith("dashed")) return undefined;
  return {
    symbol: "none",
    silent: true,
    animation: false,
    label: { show: true, position: "insideStartTop", color: token("--muted"), fontSize: 10.5, formatter: ({ value }) => tick(value, settings) },
    data: levels(settings).map(({ value, color }) => ({ yAxis: value, lineStyle: { color: colorOf(color), type: "dashed", width: 1.2, opacity: 0.8 } })),
  };
}

/** Heads of tooltips: a day of the book, or a moment. */
export const dayHead = (items) => day(Number(items[0].axisValue));
export const clockHead = (items) => clock(Number(items[0].axisValue));

function tick(value, settings) {
  if (settings.unit === "percentunit") return `${+(value * 100).toFixed(2)} %`;
  if (settings.unit === "locale") return format(value, "short").replace(/\.0+(?= )/, "").replace(/(\.\d*?)0+(?= )/, "$1");
  return format(value, settings.unit, undefined).replace(/\.0+(?= )/, "").replace(/(\.\d*?)0+(?= )/, "$1");
}

function told(panel, items, head) {
  const list = Array.isArray(items) ? items : [items];
  const lines = list
    .filter(({ value }) => (Array.isArray(value) ? value[1] : value) !== null)
    .map(({ marker, seriesName, value }) => {
      const settings = fieldSettings(panel, seriesName);
      const text = format(Array.isArray(value) ? value[1] : value, settings.unit, settings.decimals);
      return `<div style="display:flex;gap:14px;justify-content:space-between"><span>${marker}${escape(seriesName)}</span><b style="font-variant-numeric:tabular-nums">${escape(text)}</b></div>`;
    });
  return `<div style="margin-bottom:4px;opacity:.7">${escape(head(list))}</div>${lines.join("")}`;
}

const escape = (text) => String(text).replace(/[&<>"']/g, (mark) => `&#${mark.charCodeAt(0)};`);
