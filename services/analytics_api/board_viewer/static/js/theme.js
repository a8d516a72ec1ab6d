// Colours: the board files name them once, for a dark ground; a light ground takes deeper ones of the same meaning.

const ON_LIGHT = {
  "#73BF69": "#2F9140",
  "#EAB839": "#B98900",
  "#FF9830": "#DD6F08",
  "#E0752D": "#BF5518",
  "#F2495C": "#CF2640",
  "#5794F2": "#2F6FDE",
  "#8E8E99": "#868C99",
  "#B877D9": "#9A4FC4",
  "#5AC8C8": "#1B9A9A",
  "#F2A6C0": "#D4618D",
  "#A3B18A": "#71845A",
  "#C0A36E": "#99793E",
};

/** Series that no board file colours take these, in order. */
export const SERIES = ["#5794F2", "#B877D9", "#5AC8C8", "#F2A6C0", "#A3B18A", "#C0A36E", "#FF9830"];

export const isLight = () => document.documentElement.dataset.theme === "light";

/** A colour of a board file on today's ground; "text" is the ground's own ink. */
export function colorOf(name) {
  if (!name || name === "transparent") return "transparent";
  if (name === "text") return token("--text");
  const base = name.slice(0, 7).toUpperCase();
  return (isLight() ? ON_LIGHT[base] ?? base : base) + name.slice(7);
}

/** A design token's value. */
export const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Switch by hand, remember it, and follow the system until then. */
export function watchTheme(button, onChange) {
  const set = (theme) => {
    document.documentElement.dataset.theme = theme;
    onChange();
  };
  button.addEventListener("click", () => {
    const theme = isLight() ? "dark" : "light";
    localStorage.setItem("lp-theme", theme);
    set(theme);
  });
  matchMedia("(prefers-color-scheme: light)").addEventListener("change", (event) => {
    if (!localStorage.getItem("lp-theme")) set(event.matches ? "light" : "dark");
  });
}
