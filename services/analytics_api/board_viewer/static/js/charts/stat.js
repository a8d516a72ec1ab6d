// One figure, with the line that led to it.

import { address } from "../links.js";
import { display, fieldSettings, ink } from "../fields.js";
import { columnsOf, lastNotNull } from "../frames.js";
import { make } from "../dom.js";
import { colorOf } from "../theme.js";

/** Draw the last value of the field that counts. */
export function drawStat(body, { panel, frame, chosen }) {
  const column = figure(panel, columnsOf(frame));
  const settings = column && fieldSettings(panel, column.name);
  const value = column ? lastNotNull(column.values) : null;
  if (value === null) return void body.replaceChildren(nothing(settings?.noValue ?? "No data"));
  const shown = display(value, settings);
  const before = body.querySelector("b")?.textContent;
  const moved = before !== undefined && before !== shown.text;
  const link = settings.links?.[0];
  const line = panel.options.graphMode === "area" && column.values.length > 1;
  const place = link ? { href: address(link.url, chosen), title: link.title } : {};
  body.replaceChildren(
    make(
      link ? "a" : "div",
      { class: line ? "stat has-line" : "stat", style: { "--chars": String(Math.max(5, shown.text.length)) }, ...place },
      make("b", { class: moved && "moved", style: { color: ink(shown) } }, shown.text),
      line && sparkline(column.values, colorOf(shown.color === "text" ? "#5794F2" : shown.color ?? "#5794F2")),
    ),
  );
  body.setAttribute("aria-label", shown.text);
}

const nothing = (text) => make("div", { class: "stat is-none", style: { "--chars": String(Math.max(10, text.length)) } }, make("b", {}, text));

function figure(panel, columns) {
  if (panel.options.reduceOptions?.fields) return columns.find(({ kind }) => kind !== "time");
  return columns.find(({ kind }) => kind === "number");
}

function sparkline(values, color) {
  const known = values.map(Number).filter(Number.isFinite);
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const points = known.map((value, index) => {
    const x = (index / (known.length - 1)) * 100;
    const y = 34 - ((value - low) / (high - low || 1)) * 26;
    return `${x.toFixed(2)} ${y.toFixed(2)}`;
  });
  const svg = (markup) => new DOMParser().parseFromString(markup, "image/svg+xml").documentElement;
  return svg(
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 40" preserveAspectRatio="none" aria-hidden="true">` +
      `<path d="M${points.join("L")}L100 40L0 40Z" fill="${color}" opacity="0.12"/>` +
      `<path d="M${points.join("L")}" fill="none" stroke="${color}" stroke-width="1.6" vector-effect="non-scaling-stroke" opacity="0.85"/></svg>`,
  );
}
