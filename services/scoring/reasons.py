"""Why a score is what it is and what moved it, in words with exact points."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import date
from functools import lru_cache
from math import isnan
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from scoring.features import FEATURES, BoolArray, DayArray, FloatArray, IntArray, LoanBatch, ObjectArray
from scoring.model import PointArray, ScoreBatch
from scoring.texts import Texts

TOP = 4
PAST_THRESHOLD = "past_threshold"  # the code of the one reason of a loan that is bad by rule
_PAST_DUE, _SHARE_REPAID = FEATURES.index("days_past_due"), FEATURES.index("share_repaid")
_DAYS_KEPT = 4096  # pairs of due day and business day whose words are kept; a book has some dozens at a time
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_encode = msgspec.json.Encoder().encode


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


def reasons_json(loans: LoanBatch, features: FloatArray, scores: ScoreBatch) -> Texts:
    """For each loan, the JSON list of its heaviest contributions: code, points, text."""
    points, bad = scores.points, scores.by_rule
    dated = bad | (points[:, _PAST_DUE] != 0)
    first, which = _told_apart(points, _shown(points, features), bad, *_days_where(dated, loans))
    days = _Days.of(loans.take(first))
    rows = _described(points[first], days, features[first])
    for row in np.flatnonzero(bad[first]).tolist():
        rows[row] = [_entry(PAST_THRESHOLD, None, days.bad_text(row))]
    return Texts([_listed(entries) for entries in rows], which)


def changes_json(
    loans: LoanBatch, features: FloatArray, scores: ScoreBatch, previous: PreviousScores
) -> Texts:
    """For each loan, the JSON list of what moved its score since the one before; empty if nothing did."""
    comparable = previous.exists & (previous.model == scores.model)
    scored = comparable & ~scores.by_rule & ~previous.by_rule
    moved = np.where(scored[:, None], scores.points - previous.points, 0)
    crossed = comparable & (scores.by_rule != previous.by_rule)
    risen = np.where(crossed, scores.risk_score - previous.risk_score, 0)
    dated = crossed | moved.any(axis=1)
    shown = (_shown(moved, features), crossed, crossed & scores.by_rule, risen)
    kinds = [column[dated] for column in (moved, *shown, *_days_where(dated, loans))]
    first, which = _told_apart(*kinds)
    first = np.flatnonzero(dated)[first]
    days = _Days.of(loans.take(first))
    rows = _described(moved[first], days, features[first], is_dated=True)
    for row in np.flatnonzero(crossed[first]).tolist():
        is_bad = scores.by_rule[first[row]]
        text = days.bad_text(row) if is_bad else "no longer past the threshold"
        rows[row] = [_entry(PAST_THRESHOLD, int(risen[first[row]]), text, days.today[row])]
    places = np.zeros(len(loans), np.int64)  # of what most are told: nothing
    places[dated] = 1 + which
    return Texts([_listed([]), *map(_listed, rows)], places)


def contributions_json(points: PointArray) -> Texts:
    """For each loan, the JSON object of its points by feature, without the zeros."""
    first, which = _told_apart(points)
    texts = [
        _encode({name: value for name, value in zip(FEATURES, row, strict=True) if value}).decode()
        for row in points[first].tolist()
    ]
    return Texts(texts, which)


def _told_apart(*columns: npt.NDArray[Any]) -> tuple[IntArray, IntArray]:
    """The first loan of each kind that these columns tell apart, and which kind every loan is of.

    Of a whole book some hundred sentences are said: each is made once a batch.
    """
    kinds = np.column_stack([column.astype(np.float64) for column in columns])
    numbers: dict[bytes, int] = {}
    keys = kinds.view(f"V{kinds.itemsize * kinds.shape[1]}").ravel().tolist()
    which = np.array([numbers.setdefault(key, len(numbers)) for key in keys], np.int64)
    return np.unique(which, return_index=True)[1], which


def _shown(points: npt.NDArray[Any], features: FloatArray) -> FloatArray:
    """The values that texts may name, no finer than they name them."""
    values = np.where(points != 0, features, 0.0)
    values[:, _SHARE_REPAID] = np.rint(values[:, _SHARE_REPAID] * 100)
    return values


def _days_where(dated: BoolArray, loans: LoanBatch) -> tuple[npt.NDArray[Any], ...]:
    """The days that texts may name, and whether the loan is charged off."""
    due, today = loans.past_due_on.astype(np.int64), loans.as_of.astype(np.int64)
    return tuple(np.where(dated, column, 0) for column in (due, today, loans.charged_off))


def _listed(entries: list[str]) -> str:
    return f"[{','.join(entries)}]"


def day_text(day: date, today: date) -> str:
    """A day as people say it: the year only when it is another one."""
    text = f"{day.day} {_MONTHS[day.month - 1]}"
    return text if day.year == today.year else f"{text} {day.year}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Days:
    """The days that texts name, as Python's own, loan by loan."""

    due: list[date | None]
    today: list[date]
    charged_off: BoolArray

    @classmethod
    def of(cls, loans: LoanBatch) -> _Days:
        return cls(due=loans.past_due_on.tolist(), today=loans.as_of.tolist(), charged_off=loans.charged_off)

    def unpaid_text(self, row: int) -> str:
        return _unpaid_text(self.due[row], self.today[row])

    def bad_text(self, row: int) -> str:
        return "charged off" if self.charged_off[row] else f"{self.unpaid_text(row)}: bad by rule"


def _described(
    points: npt.NDArray[Any], days: _Days, features: FloatArray, *, is_dated: bool = False
) -> list[list[str]]:
    rows: list[list[str]] = [[] for _ in range(len(points))]
    heaviest = np.argsort(-np.abs(points), axis=1, kind="stable")[:, :TOP]
    picked = np.take_along_axis(points, heaviest, axis=1)
    row_of, rank_of = np.nonzero(picked)
    columns = heaviest[row_of, rank_of]
    values = features[row_of, columns].tolist()
    weights = picked[row_of, rank_of].tolist()
    for row, column, weight, value in zip(row_of.tolist(), columns.tolist(), weights, values, strict=True):
        on = days.today[row] if is_dated else None
        rows[row].append(_entry(FEATURES[column], weight, _TEXTS[column](value, days, row), on))
    return rows


def _entry(code: str, points: int | None, text: str, on: date | None = None) -> str:
    """An entry as JSON; code and text are words of this module, which need no escaping."""
    dated = f',"on":"{on}"' if on is not None else ""
    return f'{{"code":"{code}","points":{"null" if points is None else points},"text":"{text}"{dated}}}'


@lru_cache(_DAYS_KEPT)
def _unpaid_text(due: date | None, today: date) -> str:
    if due is None:
        raise TypeError("no day")
    days = (today - due).days
    unit = "day" if days == 1 else "days"
    return f"installment of {day_text(due, today)} unpaid, {days} {unit}"


def _past_due_text(value: float, days: _Days, row: int) -> str:
    return days.unpaid_text(row) if value > 0 else "nothing past due"


def _mean_text(value: float, _days: _Days, _row: int) -> str:
    return (
        "no installment decided yet"
        if isnan(value)
        else f"last 3 installments {value:.0f} days late on average"
    )


def _silence_text(value: float, _days: _Days, _row: int) -> str:
    return "nothing past due" if isnan(value) else f"no payment for {value:.1f} installment intervals"


def _plain(template: str, *, zero: str | None = None) -> Callable[[float, _Days, int], str]:
    return lambda value, _days, _row: zero if zero and not value else template.format(value)


_TEXT_OF: dict[str, Callable[[float, _Days, int], str]] = {
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
_TEXTS = tuple(_TEXT_OF[name] for name in FEATURES)
