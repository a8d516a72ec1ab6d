"""Loans with the scores that stand, as columns: the numbers of a table travel as one value a slice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from loanbook.postgres.sent_arrays import sent_row
from scoring.features import FEATURES, BoolArray, DayArray, FloatArray, IntArray, LoanBatch, days_between
from scoring.model import PointArray
from scoring.reasons import PreviousScores
from scoring.records import States
from scoring.terms import TERMS, TermsCache

# What the values of select_states.sql hold, each in its order; days are ordinals, 0 for none.
_STATE = (
    "loan_key", "book_key", "branch_key", "version", "status", "as_of", "charged_off", "silent", "cohort_on",
    "past_due_on", "last_payment_on", "restructured_on", "scheduled", "total_outstanding",
    "principal_outstanding", "overdue", "overdue_principal", "on_time_streak", "max_dpd", "returned_payments",
    "decided", "days_late_sum", "terms_version",
)  # fmt: skip
_TERMS = ("loan_key", "term_days", "disbursed_on")
_PLAN = ("loan_key", "installments", "first_due_on", "last_due_on")
_SCORE = ("loan_key", "state_version", "as_of", "by_rule", "risk_score", "band", "recorded_on")
_NO_TERM = -1
_ROWS = {
    "states": sent_row((_STATE, ">i8")),
    "terms": sent_row((_TERMS, ">i8")),
    "plans": sent_row((_PLAN, ">i8")),
    "scores": sent_row((_SCORE, ">i8"), (("recorded_probability",), ">f8")),
}
_FLOATS = ("recorded_probability",)
_FLAGS = ("charged_off", "silent", "by_rule")
_EPOCH = date(1970, 1, 1).toordinal()
_NO_POINTS = "{}"
_COLUMN_OF = {name: column for column, name in enumerate(FEATURES)}
_decode_points = msgspec.json.Decoder(list[dict[str, int]]).decode

Columns = dict[str, NDArray[Any]]
Rows = Sequence[Mapping[str, Any]]
Sent = NDArray[np.void]


def states_from_rows(rows: Rows, terms: TermsCache) -> tuple[States, BoolArray]:
    """Read the rows of select_states.sql, and keep what terms came along.

    Says of which loans the terms are not those of the state: they have changed since they were kept.
    """
    state = _columns(_sent("states", rows))
    keys, decided, days_late_sum = state["loan_key"], state.pop("decided"), state.pop("days_late_sum")
    version = state.pop("terms_version")
    found = _kept_terms(keys, version, rows, terms)
    term: Columns = {
        name: _days(column) if name.endswith("_on") else column
        for name, column in zip(TERMS, found.T, strict=True)
    }
    loans = LoanBatch(
        **state,
        term_days=_term_days(term),
        installments=term["installments"],
        first_due_on=term["first_due_on"],
        last_due_on=term["last_due_on"],
        mean_days_late=np.where(decided > 0, days_late_sum / np.maximum(decided, 1), np.nan),
    )
    return States(loans=loans, previous=_previous(keys, rows)), found[:, 0] != version


def _kept_terms(keys: IntArray, version: IntArray, rows: Rows, terms: TermsCache) -> IntArray:
    """A row of TERMS for each loan, after those that came along are kept."""
    came = _sent("terms", rows)
    if len(came):
        sent, at = _found(keys, came)
        plans, _ = _found(keys, _sent("plans", rows))
        columns = [version, *(sent[name] for name in _TERMS[1:]), *(plans[name] for name in _PLAN[1:])]
        matrix = np.column_stack([column.astype(np.int64) for column in columns])
        has_come = at < len(came)
        terms.keep(keys[has_come].tolist(), matrix[has_come])
    return terms.find(keys.tolist())


def _term_days(terms: Columns) -> FloatArray:
    given: IntArray = terms["term_days"]
    planned = days_between(terms["last_due_on"], terms["disbursed_on"])
    return np.where(given != _NO_TERM, given, planned)


def _previous(keys: IntArray, rows: Rows) -> PreviousScores:
    sent, at = _found(keys, _sent("scores", rows))
    columns = _columns(sent)
    del columns["loan_key"]
    models = [model for row in rows for model in row["models"] or ()]
    contributions = [points for row in rows for points in row["contributions"] or ()]
    return PreviousScores(
        **columns,
        exists=at < len(models),
        model=np.array([*models, ""], np.object_)[at],
        points=_points([*contributions, _NO_POINTS])[at],
    )


def _sent(table: str, rows: Rows) -> Sent:
    """What a table has, all slices together."""
    return np.frombuffer(b"".join([row[table] or b"" for row in rows]), _ROWS[table])


def _found(keys: IntArray, sent: Sent) -> tuple[Sent, IntArray]:
    """What a table has of these loans, in their order, and where; zeros where it has nothing."""
    own = sent["loan_key"].astype(np.int64)
    order = np.append(np.argsort(own), len(own))
    at = order[np.searchsorted(own, keys, sorter=order[:-1])]
    at = np.where(np.append(own, 0)[at] == keys, at, len(own))
    return np.append(sent, np.zeros(1, sent.dtype))[at], at


def _columns(sent: Sent) -> Columns:
    return {name: _column(name, sent[name]) for name in sent.dtype.names or ()}


def _column(name: str, sent: NDArray[Any]) -> NDArray[Any]:
    if name in _FLOATS:
        return sent.astype(np.float64)
    values = sent.astype(np.int64)
    if name in _FLAGS:
        return values.astype(np.bool_)
    return _days(values) if name.endswith(("_on", "as_of")) else values


def _days(ordinals: IntArray) -> DayArray:
    days: DayArray = (ordinals - _EPOCH).view("datetime64[D]")
    days[ordinals == 0] = np.datetime64("NaT")
    return days


def _points(contributions: Sequence[str]) -> PointArray:
    """Points by feature; most loans share theirs with many, and each is read once."""
    different = {text: number for number, text in enumerate(dict.fromkeys(contributions))}
    points = np.zeros((len(different), len(FEATURES)), np.int16)
    for number, by_feature in enumerate(_decode_points(f"[{','.join(different)}]")):
        for name, value in by_feature.items():
            if name in _COLUMN_OF:  # another model may have had other features
                points[number, _COLUMN_OF[name]] = value
    return points[[different[text] for text in contributions]]
