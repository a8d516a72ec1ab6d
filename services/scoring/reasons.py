"""Why a score is what it is and what moved it, in words with exact points."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from scoring.features import FEATURES, BoolArray, DayArray, FloatArray, IntArray, LoanBatch, ObjectArray
from scoring.model import PointArray, ScoreBatch

TOP = 4
PAST_THRESHOLD = "past_threshold"  # the code of the one reason of a loan that is bad by rule
_EMPTY_LIST, _EMPTY_OBJECT = "[]", "{}"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_encode = msgspec.json.Encoder().encode

Entry = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviousScores:
    """The scores that stand, in the order of the batch; `exists` is False where there is none."""

    exists: BoolArray
    state_version: IntArray
    as_of: DayArray
    model: ObjectArray
    by_rule: BoolArray
    risk_score: IntArray
    band: IntArray
    points: PointArray
    recorded_probability: FloatArray
    recorded_on: DayArray

    def take(self, chosen: BoolArray) -> PreviousScores:
        """The chosen loans, in the same order."""
        columns: dict[str, Any] = {field.name: getattr(self, field.name)[chosen] for field in fields(self)}
        return PreviousScores(**columns)


def reasons_json(loans: LoanBatch, features: FloatArray, scores: ScoreBatch) -> list[str]:
    """For each loan, the JSON list of its heaviest contributions: code, points, text."""
    rows = _described(scores.points, loans, features)
    for row in np.flatnonzero(scores.by_rule).tolist():
        rows[row] = [{"code": PAST_THRESHOLD, "points": None, "text": _bad_text(loans, row)}]
    return _encoded(rows)


def changes_json(
    loans: LoanBatch, features: FloatArray, scores: ScoreBatch, previous: PreviousScores
) -> list[str]:
    """For each loan, the JSON list of what moved its score since the one before; empty if nothing did."""
    comparable = previous.exists & (previous.model == scores.model)
    scored = comparable & ~scores.by_rule & ~previous.by_rule
    moved = np.where(scored[:, None], scores.points - previous.points, 0)
    rows = _described(moved, loans, features)
    for row in np.flatnonzero(comparable & (scores.by_rule != previous.by_rule)).tolist():
        points = int(scores.risk_score[row] - previous.risk_score[row])
        text = _bad_text(loans, row) if scores.by_rule[row] else "no longer past the threshold"
        rows[row] = [{"code": PAST_THRESHOLD, "points": points, "text": text}]
    for row, entries in enumerate(rows):
        for entry in entries:
            entry["on"] = _day(loans.as_of[row])
    return _encoded(rows)


def contributions_json(points: PointArray) -> list[str]:
    """For each loan, the JSON object of its points by feature, without the zeros."""
    rows: list[dict[str, int]] = [{} for _ in range(len(points))]
    for row, column in zip(*(found.tolist() for found in np.nonzero(points)), strict=True):
        rows[row][FEATURES[column]] = int(points[row, column])
    return [_encode(row).decode() if row else _EMPTY_OBJECT for row in rows]


def day_text(day: date, today: date) -> str:
    """A day as people say it: the year only when it is another one."""
    text = f"{day.day} {_MONTHS[day.month - 1]}"
    return text if day.year == today.year else f"{text} {day.year}"


def _described(points: npt.NDArray[Any], loans: LoanBatch, features: FloatArray) -> list[list[Entry]]:
    rows: list[list[Entry]] = [[] for _ in range(len(points))]
    heaviest = np.argsort(-np.abs(points), axis=1, kind="stable")[:, :TOP]
    picked = np.take_along_axis(points, heaviest, axis=1)
    row_of, rank_of = np.nonzero(picked)
    for row, column, weight in zip(
        row_of.tolist(), heaviest[row_of, rank_of].tolist(), picked[row_of, rank_of].tolist(), strict=True
    ):
        text = _TEXTS[FEATURES[column]](float(features[row, column]), loans, row)
        rows[row].append({"code": FEATURES[column], "points": weight, "text": text})
    return rows


def _encoded(rows: list[list[Entry]]) -> list[str]:
    return [_encode(row).decode() if row else _EMPTY_LIST for row in rows]


def _day(day: np.datetime64) -> date:
    value = day.item()
    if not isinstance(value, date):
        msg = "no day"
        raise TypeError(msg)
    return value


def _unpaid_text(loans: LoanBatch, row: int) -> str:
    due, today = loans.past_due_on[row], loans.as_of[row]
    days = int((today - due) / np.timedelta64(1, "D"))
    unit = "day" if days == 1 else "days"
    return f"installment of {day_text(_day(due), _day(today))} unpaid, {days} {unit}"


def _bad_text(loans: LoanBatch, row: int) -> str:
    if loans.charged_off[row]:
        return "charged off"
    return f"{_unpaid_text(loans, row)}: bad by rule"


def _past_due_text(value: float, loans: LoanBatch, row: int) -> str:
    return _unpaid_text(loans, row) if value > 0 else "nothing past due"


def _mean_text(value: float, _loans: LoanBatch, _row: int) -> str:
    return (
        "no installment decided yet"
        if np.isnan(value)
        else f"last 3 installments {value:.0f} days late on average"
    )


def _silence_text(value: float, _loans: LoanBatch, _row: int) -> str:
    return "nothing past due" if np.isnan(value) else f"no payment for {value:.1f} installment intervals"


def _plain(template: str, *, zero: str | None = None) -> Callable[[float, LoanBatch, int], str]:
    return lambda value, _loans, _row: zero if zero and not value else template.format(value)


_TEXTS: dict[str, Callable[[float, LoanBatch, int], str]] = {
    "days_past_due": _past_due_text,
    "max_days_past_due": _plain("up to {:.0f} days past due in its life"),
    "mean_days_late": _mean_text,
    "on_time_streak": _plain("installments on time in a row: {:.0f}"),
    "silence": _silence_text,
    "overdue_installments": _plain("overdue amount is {:.1f} installments", zero="nothing overdue"),
    "share_repaid": _plain("{:.0%} repaid"),
    "returned_payments": _plain("payments returned: {:.0f}"),
    "restructured": _plain("restructured", zero="no longer restructured"),
    "first_payment_missed": _plain("first installment unpaid", zero="first installment paid"),
}
