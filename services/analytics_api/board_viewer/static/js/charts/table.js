// Rows: sortable, with coloured cells, gauges and links.

import { address } from "../links.js";
import { display, fieldSettings, ink, levelColor, share } from "../fields.js";
import { empty, make } from "../dom.js";
import { colorOf } from "../theme.js";

const sorted = new WeakMap();

/** Draw a table; its place and order stay as they were. */
export function drawTable(body, context) {
  const { panel, frame } = context;
  if (!frame.rows.length) {
    return void body.replaceChildren(empty(panel.fieldConfig?.defaults?.noValue ?? "No data"));
  }
  const columns = frame.columns.map(([name, kind]) => ({ name, kind, settings: fieldSettings(panel, name) }));
  const sort = sorted.get(body);
  const again = () => drawTable(body, context);
  const table = make(
    "table",
    { "aria-label": panel.title },
    make("thead", {}, make("tr", {}, ...columns.map((column, index) => heading(body, column, index, sort, again)))),
    make("tbody", {}, ...ordered(frame.rows, sort).map((row) => line(row, columns, context.chosen))),
  );
  const scroller = body.querySelector(".rows") ?? make("div", { class: "rows", tabindex: "0", role: "region", "aria-label": panel.title });
  scroller.replaceChildren(table);
  if (!scroller.isConnected) body.replaceChildren(scroller);
}

function heading(body, { name, kind }, index, sort, again) {
  const click = () => {
    const down = sort?.index === index ? !sort.down : kind === "number";
    sorted.set(body, { index, down });
    again();
    body.querySelectorAll("th button")[index]?.focus();
  };
  const direction = sort?.index === index ? (sort.down ? "descending" : "ascending") : undefined;
  return make("th", { scope: "col", class: kind, "aria-sort": direction }, make("button", { type: "button", onclick: click }, name));
}

function ordered(rows, sort) {
  if (!sort) return rows;
  const { index, down } = sort;
  const compare = (a, b) => {
    if (a === b) return 0;
    if (a === null) return 1; // nothing is last, whichever way
    if (b === null) return -1;
    const order = typeof a === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true });
    return down ? -order : order;
  };
  return [...rows].sort((a, b) => compare(a[index], b[index]));
}

function line(row, columns, chosen) {
  const named = Object.fromEntries(columns.map(({ name }, index) => [name, row[index]]));
  return make("tr", {}, ...columns.map((column, index) => cell(row[index], column, named, chosen)));
}

function cell(value, { kind, settings }, named, chosen) {
  if (value === null) return make("td", { class: `${kind} none` }, "–");
  const shown = display(value, settings);
  const look = settings.custom.cellOptions?.type ?? "auto";
  const link = settings.links?.[0];
  const style = {};
  if (look === "color-text") style.color = ink(shown);
  if (look === "color-background") style.background = colorOf(shown.color);
  let content = shown.text;
  if (look === "gauge") content = gauge(value, shown, settings);
  if (link) content = make("a", { href: address(link.url, chosen, named), title: link.title }, content);
  return make("td", { class: kind, style, title: kind === "string" && shown.text.length > 28 ? shown.text : undefined }, content);
}

function gauge(value, shown, settings) {
  const color = colorOf(levelColor(value, settings) ?? "#5794F2");
  const width = `${(share(value, settings) * 100).toFixed(1)}%`;
  return make("span", { class: "gauge" }, make("i", { style: { "--share": width, "--color": color } }), shown.text);
}
