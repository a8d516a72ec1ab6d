// Grafana's units, in words and digits.

const LARGE = [[1e12, " T"], [1e9, " B"], [1e6, " M"], [1e3, " K"]];
const SPANS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
const NO_NUMBER = "–";

/** Text of a value; numbers by unit, all else as it is. */
export function format(value, unit = "short", decimals = undefined) {
  if (value === null || value === undefined) return NO_NUMBER;
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value !== "number") return String(value);
  if (unit.startsWith("time:")) return day(value);
  if (unit.startsWith("suffix:")) return digits(value, decimals) + " " + unit.slice(7).trim();
  if (unit.startsWith("prefix:")) return unit.slice(7) + digits(value, decimals);
  if (unit.startsWith("currency")) return currency(value, unit.slice(8), decimals);
  return (UNITS[unit] ?? UNITS.short)(value, decimals);
}

const UNITS = {
  short: (value, decimals) => {
    const [size, mark] = LARGE.find(([least]) => Math.abs(value) >= least) ?? [1, ""];
    return digits(value / size, decimals ?? (size === 1 ? undefined : fitting(value / size))) + mark;
  },
  locale: (value, decimals) => digits(value, decimals),
  none: (value, decimals) => digits(value, decimals),
  string: (value) => String(value),
  percentunit: (value, decimals) => digits(value * 100, decimals ?? fitting(value * 100)) + " %",
  percent: (value, decimals) => digits(value, decimals ?? fitting(value)) + " %",
  s: (value, decimals) => {
    const [size, mark] = SPANS.find(([least]) => Math.abs(value) >= least) ?? [1, "s"];
    return digits(value / size, size === 1 ? decimals ?? 0 : 1) + " " + mark;
  },
  ms: (value, decimals) => (value < 1000 ? digits(value, decimals ?? 0) + " ms" : UNITS.s(value / 1000, decimals)),
};

function fitting(value) {
  const size = Math.abs(value);
  return size >= 100 ? 0 : size >= 10 ? 1 : 2;
}

function digits(value, decimals) {
  const places = decimals ?? (Number.isInteger(value) ? 0 : 2);
  return value.toLocaleString("en-US", { minimumFractionDigits: decimals ?? 0, maximumFractionDigits: places });
}

function currency(value, code, decimals) {
  const places = { minimumFractionDigits: decimals, maximumFractionDigits: decimals ?? 2 };
  return value.toLocaleString("en-US", { style: "currency", currency: code, ...places });
}

/** A day of the book. */
export const day = (ms) => new Date(ms).toISOString().slice(0, 10);

/** A moment by the clock, UTC. */
export const clock = (ms) => new Date(ms).toISOString().slice(11, 19) + " UTC";
