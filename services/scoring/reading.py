"""Loans with the scores that stand, as columns: the numbers of a loan travel as one value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from loanbook.postgres.sent_arrays import sent_row
from scoring.features import FEATURES, DayArray, IntArray, LoanBatch
from scoring.model import PointArray
from scoring.reasons import PreviousScores
from scoring.records import States

_INTEGERS = (
    "loan_key", "book_key", "branch_key", "version", "status", "as_of", "charged_off", "silent",
    "installments", "first_due_on", "last_due_on", "cohort_on", "past_due_on", "last_payment_on",
    "restructured_on", "scheduled", "total_outstanding", "principal_outstanding", "overdue",
    "overdue_principal", "on_time_streak", "max_dpd", "returned_payments", "previous_exists",
    "previous_state_version", "previous_as_of", "previous_by_rule", "previous_risk_score", "previous_band",
    "previous_recorded_on",
)  # fmt: skip
"""What the first array in select_states.sql holds, in its order; days are ordinals, 0 for none."""
_FLOATS = ("term_days", "mean_days_late", "previous_recorded_probability")  # the second array; NaN for none
_FLAGS = ("charged_off", "silent", "previous_exists", "previous_by_rule")
_DAYS = (
    "as_of", "first_due_on", "last_due_on", "cohort_on", "past_due_on", "last_payment_on", "restructured_on",
    "previous_as_of", "previous_recorded_on",
)  # fmt: skip

_ROW = sent_row((_INTEGERS, ">i8"), (_FLOATS, ">f8"))
_EPOCH = date(1970, 1, 1).toordinal()
_COLUMN_OF = {name: column for column, name in enumerate(FEATURES)}
_decode_points = msgspec.json.Decoder(list[dict[str, int]]).decode


def states_from_rows(rows: Sequence[Mapping[str, Any]]) -> States:
    """Read the rows of select_states.sql."""
    numbers = np.frombuffer(b"".join([row["numbers"] for row in rows]), _ROW)
    columns = {name: _column(name, numbers[name]) for name in _ROW.names or ()}
    previous = PreviousScores(
        model=np.array([row["model"] for row in rows], np.object_),
        points=_points([row["contributions"] for row in rows]),
        **{
            name.removeprefix("previous_"): columns.pop(name) for name in list(columns) if "previous_" in name
        },
    )
    return States(loans=LoanBatch(**columns), previous=previous)


def _column(name: str, sent: NDArray[Any]) -> Any:  # noqa: ANN401 - an array of the column's kind
    if name in _FLOATS:
        return sent.astype(np.float64)
    values = sent.astype(np.int64)
    if name in _FLAGS:
        return values.astype(np.bool_)
    return _days(values) if name in _DAYS else values


def _days(ordinals: IntArray) -> DayArray:
    days: DayArray = (ordinals - _EPOCH).view("datetime64[D]")
    days[ordinals == 0] = np.datetime64("NaT")
    return days


def _points(contributions: Sequence[str]) -> PointArray:
    points = np.zeros((len(contributions), len(FEATURES)), np.int16)
    for row, by_feature in enumerate(_decode_points(f"[{','.join(contributions)}]")):
        for name, value in by_feature.items():
            if name in _COLUMN_OF:  # another model may have had other features
                points[row, _COLUMN_OF[name]] = value
    return points
