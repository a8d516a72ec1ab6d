// Grafana's links and titles with the board's variables put in.

/** Text with $name and ${name} replaced by what is chosen. */
export function interpolate(text, chosen, encode = (value) => value) {
  return text.replace(/\$\{(\w+)(?::\w+)?\}|\$(\w+)/g, (whole, braced, plain) => {
    const values = chosen[braced ?? plain];
    return values === undefined ? whole : encode(values.map((value) => (value === "$__all" ? "All" : value)).join(" + "));
  });
}

/** A data link's address for a row; /d/<board> becomes the viewer's own. */
export function address(url, chosen, row = {}) {
  const filled = url.replace(/\$\{__data\.fields\.([^}]+)\}/g, (whole, name) => encodeURIComponent(row[name] ?? ""));
  return interpolate(filled, chosen, encodeURIComponent).replace(/^\/d\//, "/boards/");
}
