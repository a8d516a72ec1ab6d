// What the page shows stands in its address, in Grafana's words, so that it can be sent to a colleague.

/** The board's name in the address, if there is one. */
export const boardInAddress = () => decodeURIComponent(location.pathname.split("/")[2] ?? "");

/** Chosen values, range and refresh of the address, else of the board. */
export function readAddress(board) {
  const search = new URLSearchParams(location.search);
  const variables = {};
  for (const { name } of board.templating?.list ?? []) {
    const values = search.getAll(`var-${name}`);
    if (values.length) variables[name] = values;
  }
  return {
    variables,
    from: search.get("from") ?? board.time?.from ?? "now-24h",
    to: search.get("to") ?? board.time?.to ?? "now",
    refresh: search.get("refresh") ?? board.refresh ?? "10s",
  };
}

/** Write a choice into the address without leaving the page. */
export function writeAddress(state, board) {
  const search = new URLSearchParams();
  for (const [name, values] of Object.entries(state.variables)) {
    for (const value of values) search.append(`var-${name}`, value);
  }
  if (state.from !== board.time?.from) search.set("from", state.from);
  if (state.to !== (board.time?.to ?? "now")) search.set("to", state.to);
  if (state.refresh !== board.refresh) search.set("refresh", state.refresh);
  const text = search.toString();
  history.replaceState(null, "", location.pathname + (text ? `?${text}` : ""));
}

/** Another board's address, keeping what both understand. */
export function addressOf(uid, state) {
  const search = new URLSearchParams();
  for (const name of ["book", "currency", "region", "branch", "product"]) {
    for (const value of state.variables[name] ?? []) search.append(`var-${name}`, value);
  }
  const text = search.toString();
  return `/boards/${uid}${text ? `?${text}` : ""}`;
}
