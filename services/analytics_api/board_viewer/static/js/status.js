// How fresh the page is: the chip that is always in sight, and the banner when something is wrong.

import { columnsOf, lastNotNull } from "./frames.js";
import { clock, format } from "./format.js";
import { display, fieldSettings } from "./fields.js";

const AGE_PANEL = "Data as of";
const STATES = { "#73BF69": "live", "#EAB839": "stale", "#F2495C": "old" };

const chip = document.querySelector("#freshness");
const banner = document.querySelector("#banner");

/** The panel that tells the data's age, on every board. */
export const agePanel = (panels) => panels.find(({ title }) => title === AGE_PANEL);

/** Figures have come: say how old they are. */
export function showFresh(answer, panel) {
  document.body.classList.remove("is-away");
  document.querySelector("#at").textContent = `Read at ${clock(answer.at)}`;
  const frame = panel && answer.panels[panel.id]?.frames?.[0];
  const age = frame ? lastNotNull(columnsOf(frame)[0].values) : null;
  if (age === null) {
    say("stale", "catching up");
    return void shout("stale", "The stream has not caught up yet: figures are still coming in.");
  }
  const { text, color } = display(age, fieldSettings(panel, "Data as of"));
  const state = STATES[color] ?? "live";
  say(state, state === "live" ? `live, ${text}` : `${text} old`);
  if (state === "live") banner.hidden = true;
  else shout("stale", `The stream is behind: what you see is ${text} old.`);
}

/** No figures came: keep the last ones, and say so. */
export function showAway(error, lastAt) {
  document.body.classList.add("is-away");
  say("away", "not connected");
  shout("away", `${error.message}. ${lastAt ? `Figures are of ${clock(lastAt)}` : "There are no figures yet"}; trying again.`);
}

/** The board itself cannot be shown. */
export const showRefused = (error) => shout("away", error.message);

/** How long something took or lasts, for the footer. */
export const ago = (seconds) => format(seconds, "s");

function say(state, text) {
  chip.dataset.state = state;
  chip.querySelector("span").textContent = text;
}

function shout(kind, text) {
  banner.dataset.kind = kind;
  if (banner.textContent !== text) banner.textContent = text;
  banner.hidden = false;
}
