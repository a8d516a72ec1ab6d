// The controls above the board: variables, range, refresh.

import { make } from "./dom.js";

const ALL = "$__all";
const RANGES = [["now-15m", "15 minutes"], ["now-1h", "1 hour"], ["now-6h", "6 hours"], ["now-24h", "24 hours"], ["now-7d", "7 days"]];

/** Draw the variables; `offered` is what the service says can be chosen now. */
export function drawVariables(place, definitions, offered, onChoose) {
  if (place.querySelector(".choices:not([hidden]), input:focus:not([type])")) return; // somebody is choosing
  place.replaceChildren(
    ...definitions.filter(({ hide }) => hide !== 2).map((definition) => {
      const { options, chosen } = offered[definition.name];
      const choose = (values) => onChoose(definition.name, values);
      const label = definition.label ?? definition.name;
      if (definition.type === "textbox") return textbox(label, chosen[0], choose);
      if (definition.multi) return several(label, options, chosen, choose);
      return select(label, options.map((option) => [option, option]), chosen[0], (value) => choose([value]));
    }),
  );
}

/** Draw range and refresh; the range only where something on the board follows the clock. */
export function drawTiming(place, board, state, hasRange, onChange) {
  const range = RANGES.some(([from]) => from === state.from) ? RANGES : [[state.from, state.from], ...RANGES];
  const every = [["", "off"], ...(board.timepicker?.refresh_intervals ?? ["10s", "1m"]).map((text) => [text, text])];
  const again = make("button", { type: "button", class: "icon", "aria-label": "Refresh now", title: "Refresh now", onclick: () => onChange({}) });
  again.innerHTML = '<svg viewBox="0 0 20 20" aria-hidden="true"><path d="M16 10a6 6 0 1 1-1.8-4.3M16 3v3.5h-3.5"/></svg>';
  place.replaceChildren(
    ...(hasRange ? [select("Last", range, state.from, (from) => onChange({ from, to: "now" }))] : []),
    select("Refresh", every, state.refresh, (refresh) => onChange({ refresh })),
    again,
  );
}

function select(label, options, chosen, onChoose) {
  const list = options.map(([value, text]) => make("option", { value, selected: value === chosen }, text));
  const box = make("select", { "aria-label": label, onchange: (event) => onChoose(event.target.value) }, ...list);
  return make("label", { class: "control" }, make("span", {}, label), box);
}

function textbox(label, value, choose) {
  const input = make("input", { "aria-label": label, value, placeholder: "id, then Enter", spellcheck: "false", autocomplete: "off" });
  const submit = (event) => {
    event.preventDefault();
    input.blur();
    choose([input.value.trim()]);
  };
  return make("form", { class: "control", onsubmit: submit }, make("span", {}, label), input);
}

function several(label, options, chosen, choose) {
  const all = chosen.includes(ALL);
  const text = all ? "All" : chosen.length > 2 ? `${chosen.length} chosen` : chosen.join(", ");
  const list = make("div", { class: "choices", role: "group", "aria-label": label, hidden: true });
  const button = make("button", { type: "button", "aria-haspopup": "true", "aria-expanded": "false", "aria-label": `${label}: ${text}` }, text);
  const box = make("div", { class: "control" }, make("span", {}, label), button, list);
  const close = () => {
    list.hidden = true;
    button.setAttribute("aria-expanded", "false");
    document.removeEventListener("pointerdown", outside);
    box.dispatchEvent(new CustomEvent("settled", { bubbles: true }));
  };
  const outside = (event) => !box.contains(event.target) && close();
  button.addEventListener("click", () => {
    if (!list.hidden) return close();
    list.hidden = false;
    button.setAttribute("aria-expanded", "true");
    document.addEventListener("pointerdown", outside);
    list.querySelector("input")?.focus();
  });
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    close();
    button.focus();
  });
  list.replaceChildren(...checks(options, chosen, all, choose, list));
  return box;
}

function checks(options, chosen, all, choose, list) {
  const read = () => [...list.querySelectorAll("input[value]:checked")].map((input) => input.value);
  const one = (event) => {
    list.querySelector("input").checked = false;
    const values = read().filter((value) => value !== ALL);
    if (event.target.checked && all && list.dataset.touched === undefined) values.splice(0, values.length, event.target.value);
    list.dataset.touched = "";
    choose(values.length ? values : [ALL]);
  };
  const check = (value, text, checked, onchange) =>
    make("label", {}, make("input", { type: "checkbox", value, checked, onchange }), text);
  return [
    check(ALL, "All", all, () => choose([ALL])),
    ...options.map((option) => check(option, option, !all && chosen.includes(option), one)),
  ];
}
