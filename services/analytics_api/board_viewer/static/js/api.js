// The viewer's own interface: boards by name, rows by panel.

/** The service does not answer, or cannot. */
export class AwayError extends Error {}

/** The question was refused: a fault of the page or the board, not of the moment. */
export class RefusedError extends Error {}

export const listBoards = () => ask("/boards/api/boards");
export const showBoard = (uid) => ask(`/boards/api/boards/${encodeURIComponent(uid)}`);

/** Controls and rows; `question` is {panels, variables, from, to}. */
export function queryBoard(uid, question) {
  const body = JSON.stringify(question);
  return ask(`/boards/api/boards/${encodeURIComponent(uid)}/query`, { method: "POST", body, headers: { "Content-Type": "application/json" } });
}

async function ask(url, options = {}) {
  let answer;
  try {
    answer = await fetch(url, { ...options, credentials: "same-origin", signal: AbortSignal.timeout(15_000) });
  } catch (error) {
    throw new AwayError("The service does not answer", { cause: error });
  }
  if (answer.status === 401) {
    location.assign("/boards/sign-in");
    throw new AwayError("Please sign in");
  }
  if (answer.status === 503) throw new AwayError("The database does not answer");
  if (answer.status >= 500) throw new AwayError(`The service failed (${answer.status})`);
  if (!answer.ok) throw new RefusedError((await answer.json().catch(() => ({}))).detail ?? `refused (${answer.status})`);
  return answer.json();
}
