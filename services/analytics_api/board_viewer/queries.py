"""Answers the page's questions: a board's panels and variables by name, never SQL from the browser."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from analytics_api.board_viewer.board_files import Board, Panel, Variable
from analytics_api.board_viewer.macros import (
    BoardQueryError,
    TimeRange,
    Value,
    expand,
    interval_seconds,
)
from analytics_api.board_viewer.store import Frame

ALL = "$__all"
VALUES_MAX = 2_000
_POINTS = 500  # about what a picture can show
_STEPS_S = (1, 5, 10, 30, 60, 300, 900, 1800, 3600, 10_800, 21_600, 86_400, 604_800)


class FrameSource(Protocol):
    """Whoever runs expanded SQL."""

    async def fetch_frame(self, sql: str) -> Frame:
        """Its rows; raises BoardQueryError and BoardsAwayError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One control with what can be chosen and what is chosen; `values` is what the queries get."""

    variable: Variable
    options: tuple[str, ...]
    chosen: tuple[str, ...]

    @property
    def value(self) -> Value:
        """The chosen values as the queries get them: All is the real list, which keeps the SQL honest."""
        if self.variable.include_all and ALL in self.chosen:
            return self.options or ("",)
        return self.chosen if self.variable.multi else self.chosen[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelAnswer:
    """Frames by refId, or why there are none."""

    frames: Mapping[str, Frame]
    error: str | None = None


async def resolve_variables(
    board: Board, wanted: Mapping[str, Sequence[str]], time: TimeRange, source: FrameSource
) -> dict[str, Choice]:
    """Every control in the board's order, each narrowed by those before; a choice that is gone falls back.

    Raises BoardQueryError and BoardsAwayError.
    """
    choices: dict[str, Choice] = {}
    for variable in board.variables:
        before = {name: choice.value for name, choice in choices.items()}
        options = await _options(variable, before, time, source)
        chosen = _chosen(variable, options, [str(value) for value in wanted.get(variable.name, ())])
        choices[variable.name] = Choice(variable=variable, options=options, chosen=chosen)
    return choices


async def answer_panels(
    board: Board,
    panel_ids: Sequence[int],
    choices: Mapping[str, Choice],
    time: TimeRange,
    source: FrameSource,
) -> dict[int, PanelAnswer]:
    """Each panel's rows; a query that fails spoils its own panel only. Raises BoardsAwayError."""
    values = {name: choice.value for name, choice in choices.items()}
    panels = [board.panels[panel_id] for panel_id in panel_ids if panel_id in board.panels]
    answers = await asyncio.gather(*(_answer(panel, values, time, source) for panel in panels))
    return {panel.panel_id: answer for panel, answer in zip(panels, answers, strict=True)}


async def _answer(
    panel: Panel, values: Mapping[str, Value], time: TimeRange, source: FrameSource
) -> PanelAnswer:
    frames: dict[str, Frame] = {}
    try:
        for target in panel.targets:
            sql = expand(target.sql, values, with_interval(time, panel.interval))
            frames[target.ref_id] = await source.fetch_frame(sql)
            if target.is_time_series:
                _require_time(frames[target.ref_id])
    except BoardQueryError as error:
        return PanelAnswer(frames={}, error=str(error))
    return PanelAnswer(frames=frames)


async def _options(
    variable: Variable, before: Mapping[str, Value], time: TimeRange, source: FrameSource
) -> tuple[str, ...]:
    if variable.kind == "textbox":
        return ()
    if variable.kind == "custom":
        return tuple(part.strip() for part in variable.query.split(","))
    frame = await source.fetch_frame(expand(variable.query, before, time))
    return tuple(str(row[0]) for row in frame.rows if row[0] is not None)


def _chosen(variable: Variable, options: tuple[str, ...], wanted: Sequence[str]) -> tuple[str, ...]:
    if len(wanted) > VALUES_MAX:
        msg = f"{variable.name}: at most {VALUES_MAX} values"
        raise BoardQueryError(msg)
    if variable.kind == "textbox":
        return tuple(wanted[:1]) or (variable.query,)
    if variable.include_all and (not wanted or ALL in wanted):
        return (ALL,)
    valid = tuple(value for value in wanted if value in options)
    if valid:
        return valid if variable.multi else valid[:1]
    if variable.include_all:
        return (ALL,)
    return (variable.preset,) if variable.preset in options else options[:1] or ("",)


def with_interval(time: TimeRange, floor: str | None) -> TimeRange:
    """The same range with a point's width that suits it, never under the panel's own."""
    wanted = max(
        (time.to_at - time.from_at).total_seconds() / _POINTS, interval_seconds(floor) if floor else 1
    )
    seconds = next((step for step in _STEPS_S if step >= wanted), _STEPS_S[-1])
    return TimeRange(from_at=time.from_at, to_at=time.to_at, interval=timedelta(seconds=seconds))


def _require_time(frame: Frame) -> None:
    if not frame.columns or frame.columns[0] != ("time", "time"):
        msg = 'a time series starts with a column "time" that is a point in time'
        raise BoardQueryError(msg)
