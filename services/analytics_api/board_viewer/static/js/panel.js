// One card of the board: title, question, state, and the picture that its type asks for.

import { drawBarChart, drawBarGauge } from "./charts/bars.js";
import { drawTimeSeries, drawTrend } from "./charts/lines.js";
import { drawStat } from "./charts/stat.js";
import { drawTable } from "./charts/table.js";
import { unpaint } from "./charts/axes.js";
import { empty, make } from "./dom.js";
import { transformed } from "./frames.js";
import { interpolate } from "./links.js";

const DRAWN = {
  stat: drawStat,
  timeseries: drawTimeSeries,
  trend: drawTrend,
  barchart: drawBarChart,
  bargauge: drawBarGauge,
  table: drawTable,
};

/** An empty card at its place in the grid. */
export function makePanel(panel) {
  const { x, y, w, h } = panel.gridPos;
  const id = `panel-${panel.id}`;
  const title = make("h2", { id, title: panel.title }, panel.title);
  const place = { "--x": String(x + 1), "--y": String(y + 1), "--w": String(w), "--h": String(h) };
  const card = make(
    "section",
    { class: "panel", "aria-labelledby": id, "data-panel": String(panel.id), "data-kind": panel.type, "data-state": "waiting", style: place },
    make("header", {}, title, question(panel)),
    make("div", { class: "body" }),
  );
  return card;
}

/** Show an answer: `answer` is {frames} or {error}. */
export function showPanel(card, panel, answer, { range, chosen }) {
  const body = card.querySelector(".body");
  card.querySelector("h2").textContent = interpolate(panel.title, chosen);
  card.querySelector(".badge")?.remove();
  if (!answer) return;
  try {
    if (answer.error) throw new Error(answer.error);
    const frame = transformed(panel, answer.frames);
    const isEmpty = !frame.rows.length && panel.type !== "table";
    card.dataset.state = frame.rows.length ? "drawn" : "empty";
    if (isEmpty) {
      unpaint(body);
      return void body.replaceChildren(empty("No data"));
    }
    const context = { panel: { ...panel, title: interpolate(panel.title, chosen) }, frame, range, chosen };
    (DRAWN[panel.type] ?? drawTable)(body, context);
  } catch (error) {
    card.dataset.state = "error";
    unpaint(body);
    card.querySelector("header").append(make("span", { class: "badge", role: "img", "aria-label": "error" }, "error"));
    body.replaceChildren(empty(error.message));
  }
}

function question(panel) {
  if (!panel.description) return null;
  const [asked, source] = panel.description.split("\n\n");
  const button = make("button", { type: "button", class: "about", "aria-label": `About: ${panel.description}` }, "?");
  const show = () => {
    hide();
    const hint = make("div", { class: "hint", role: "tooltip" }, asked, source ? make("em", {}, source) : null);
    document.body.append(hint);
    const spot = button.getBoundingClientRect();
    const left = Math.max(12, Math.min(spot.left + scrollX - 12, scrollX + innerWidth - hint.offsetWidth - 12));
    hint.style.left = `${left}px`;
    hint.style.top = `${spot.bottom + scrollY + 6}px`;
  };
  const hide = () => document.querySelector(".hint")?.remove();
  for (const event of ["pointerenter", "focus"]) button.addEventListener(event, show);
  for (const event of ["pointerleave", "blur"]) button.addEventListener(event, hide);
  return button;
}
