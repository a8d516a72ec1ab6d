// Before the first paint: the chosen theme, else the system's.
(() => {
  const chosen = localStorage.getItem("lp-theme");
  const light = matchMedia("(prefers-color-scheme: light)").matches;
  document.documentElement.dataset.theme = chosen || (light ? "light" : "dark");
})();
