// How a field looks: the panel's defaults, then what it overrides by name.

import { format } from "./format.js";
import { colorOf } from "./theme.js";

/** Settings of one field, flat: unit, decimals, min, max, color, thresholds, mappings, links, custom. */
export function fieldSettings(panel, name) {
  const { defaults = {}, overrides = [] } = panel.fieldConfig ?? {};
  const settings = { ...defaults, custom: { ...defaults.custom } };
  for (const { matcher, properties } of overrides) {
    if (matcher.id !== "byName" || matcher.options !== name) continue;
    for (const { id, value } of properties) {
      if (id.startsWith("custom.")) settings.custom[id.slice(7)] = value;
      else settings[id] = value;
    }
  }
  return settings;
}

/** What is shown for a value: its text, and a colour name or undefined. */
export function display(value, settings) {
  const mapped = mapping(value, settings.mappings);
  const text = mapped?.text ?? format(value, settings.unit, settings.decimals);
  return { text, color: mapped?.color ?? levelColor(value, settings) };
}

/** The colour's name at the level that a value reaches. */
export function levelColor(value, settings) {
  if (settings.color?.mode === "fixed") return settings.color.fixedColor;
  if (typeof value !== "number") return undefined;
  const steps = settings.thresholds?.steps ?? [];
  return steps.findLast((step) => step.value === null || value >= step.value)?.color;
}

/** The levels of a panel that are more than the ground level. */
export const levels = (settings) => (settings.thresholds?.steps ?? []).filter((step) => step.value !== null);

/** A value's share of the gauge, 0 to 1. */
export function share(value, settings, greatest = 1) {
  const low = settings.min ?? 0;
  const high = settings.max ?? greatest;
  return high > low ? Math.min(1, Math.max(0, (value - low) / (high - low))) : 0;
}

function mapping(value, mappings = []) {
  for (const { type, options } of mappings) {
    if (type === "value" && String(value) in options) {
      const found = options[String(value)];
      return { text: found.text ?? String(value), color: found.color };
    }
    if (type === "regex" && new RegExp(options.pattern).test(String(value))) {
      const { text, color } = options.result;
      return { text: text ? String(value).replace(new RegExp(options.pattern), text) : String(value), color };
    }
  }
  return undefined;
}

/** The ink for a value's text. */
export const ink = (shown) => (shown.color && shown.color !== "transparent" ? colorOf(shown.color) : "");
