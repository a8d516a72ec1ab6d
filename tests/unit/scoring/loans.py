"""Batches of loans for the scorers, one keyword a column that matters."""

from __future__ import annotations

from dataclasses import fields
from datetime import date, timedelta
from typing import Any

import numpy as np

from loanbook.domain.loan import LoanStatus
from scoring.features import FEATURES, LoanBatch
from scoring.reasons import PreviousScores
from scoring.records import States

TODAY = date(2026, 5, 15)
_FLAGS = ("charged_off", "silent", "previous_exists", "previous_by_rule")
_FLOATS = ("term_days", "mean_days_late", "previous_recorded_probability")


def a_row(late: int = 0, *, number: int = 1, **changes: Any) -> dict[str, Any]:
    """A loan of twelve monthly installments of 100.00, three of them paid; `late` days past due."""
    first_due = TODAY - timedelta(days=late + 90 if late else 80)
    overdue = (1 + late // 31) * 10_000 if late else 0
    return {
        "loan_key": number,
        "book_key": 1,
        "branch_key": 0,
        "version": 1,
        "status": int(LoanStatus.ACTIVE),
        "as_of": TODAY,
        "charged_off": False,
        "silent": False,
        "term_days": 360,
        "installments": 12,
        "first_due_on": first_due,
        "last_due_on": first_due + timedelta(days=330),
        "cohort_on": first_due - timedelta(days=30),
        "past_due_on": TODAY - timedelta(days=late) if late else None,
        "last_payment_on": first_due + timedelta(days=60),
        "restructured_on": None,
        "scheduled": 120_000,
        "total_outstanding": 110_000,
        "principal_outstanding": 100_000,
        "overdue": overdue,
        "overdue_principal": overdue,
        "on_time_streak": 0,
        "max_dpd": late,
        "returned_payments": 0,
        "mean_days_late": None,
        "previous_exists": False,
        "previous_state_version": 0,
        "previous_as_of": None,
        "previous_model": "",
        "previous_by_rule": False,
        "previous_risk_score": 0,
        "previous_band": 0,
        "previous_points": [0] * len(FEATURES),
        "previous_recorded_probability": None,
        "previous_recorded_on": None,
    } | changes


def states_of(*rows: dict[str, Any]) -> States:
    """The rows as the scorers see them."""

    def column(name: str) -> Any:
        return np.array([row[name] for row in rows], _kind(name))

    return States(
        loans=LoanBatch(**{field.name: column(field.name) for field in fields(LoanBatch)}),
        previous=PreviousScores(**{f.name: column(f"previous_{f.name}") for f in fields(PreviousScores)}),
    )


def _kind(name: str) -> Any:
    if name.endswith(("_on", "as_of")):
        return "datetime64[D]"
    kinds = (
        {"previous_model": np.object_} | dict.fromkeys(_FLAGS, np.bool_) | dict.fromkeys(_FLOATS, np.float64)
    )
    return kinds.get(name, np.int64)
