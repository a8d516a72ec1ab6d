// The page: one board, asked again at each refresh.

import { addressOf, boardInAddress, readAddress, writeAddress } from "./address.js";
import { AwayError, listBoards, queryBoard, showBoard } from "./api.js";
import { drawTiming, drawVariables } from "./controls.js";
import { make } from "./dom.js";
import { makePanel, showPanel } from "./panel.js";
import { agePanel, showAway, showFresh, showRefused } from "./status.js";
import { watchTheme } from "./theme.js";

const SECONDS = { s: 1, m: 60, h: 3600 };
const grid = document.querySelector("#board");
let board, panels, cards, state, last, timer, running;

start().catch((error) => {
  showAway(error);
  setTimeout(() => location.reload(), 5000);
});

async function start() {
  const { home, boards, sign_out } = await listBoards();
  const uid = boardInAddress() || home;
  board = await showBoard(uid);
  state = readAddress(board);
  document.title = `${board.title} · Loanpulse`;
  document.querySelector("#about").textContent = board.description ?? "";
  document.querySelector("#sign-out").hidden = !sign_out;
  panels = board.panels.flatMap((panel) => (panel.type === "row" ? panel.panels ?? [] : [panel]));
  panels.sort((a, b) => a.gridPos.y - b.gridPos.y || a.gridPos.x - b.gridPos.x);
  cards = new Map(panels.map((panel) => [panel.id, makePanel(panel)]));
  grid.replaceChildren(...cards.values());
  drawNavigation(boards, uid);
  drawTimes();
  watchTheme(document.querySelector("#theme"), () => last && show(last));
  document.querySelector("#variables").addEventListener("settled", () => last && show(last));
  document.addEventListener("visibilitychange", () => !document.hidden && refresh());
  await refresh();
}

async function refresh() {
  clearTimeout(timer);
  const turn = (running = {});
  const { variables, from, to } = state;
  try {
    const answer = await queryBoard(board.uid, { panels: panels.map(({ id }) => id), variables, from, to });
    if (turn !== running) return; // a newer question is out
    last = answer;
    show(answer);
    showFresh(answer, agePanel(panels));
  } catch (error) {
    if (turn !== running) return;
    if (error instanceof AwayError) showAway(error, last?.at);
    else showRefused(error);
  }
  timer = setTimeout(refresh, pause());
}

function show(answer) {
  const offered = Object.fromEntries(answer.variables.map((variable) => [variable.name, variable]));
  const chosen = Object.fromEntries(answer.variables.map(({ name, chosen: values }) => [name, values]));
  const definitions = board.templating?.list ?? [];
  drawVariables(document.querySelector("#variables"), definitions, offered, (name, values) => change({ variables: { ...chosen, [name]: values } }));
  const context = { range: { from: answer.from, to: answer.to }, chosen };
  for (const panel of panels) showPanel(cards.get(panel.id), panel, answer.panels[panel.id], context);
  grid.setAttribute("aria-busy", "false");
}

function change(difference) {
  state = { ...state, ...difference };
  writeAddress(state, board);
  if (!difference.variables) drawTimes();
  else updateNavigation();
  return refresh();
}

function drawTimes() {
  const hasRange = panels.some(({ targets = [] }) => targets.some(({ format }) => format === "time_series"));
  drawTiming(document.querySelector("#timing"), board, state, hasRange, change);
}

function drawNavigation(boards, uid) {
  const links = boards.map((item) =>
    make("a", { href: addressOf(item.uid, state), "data-uid": item.uid, "aria-current": item.uid === uid ? "page" : undefined }, item.title),
  );
  document.querySelector("#boards").replaceChildren(...links);
}

function updateNavigation() {
  for (const link of document.querySelectorAll("#boards a")) link.href = addressOf(link.dataset.uid, state);
}

function pause() {
  const match = /^(\d+)([smh])$/.exec(state.refresh);
  if (match) return Number(match[1]) * SECONDS[match[2]] * 1000;
  return 24 * 3600 * 1000;
}
