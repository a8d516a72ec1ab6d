"""Batches of loans for the scorers, one keyword a column that matters."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from loanbook.domain.loan import LoanStatus
from scoring.records import States
from scoring.store import states_from_rows

TODAY = date(2026, 5, 15)
_EPOCH = date(1970, 1, 1)
_DAYS = (
    "as_of",
    "first_due_on",
    "last_due_on",
    "cohort_on",
    "past_due_on",
    "last_payment_on",
    "restructured_on",
)


def a_row(late: int = 0, *, number: int = 1, **changes: Any) -> dict[str, Any]:
    """A loan of twelve monthly installments of 100.00, three of them paid; `late` days past due."""
    first_due = TODAY - timedelta(days=late + 90 if late else 80)
    overdue = (1 + late // 31) * 10_000 if late else 0
    row: dict[str, Any] = {
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
        "previous_contributions": "{}",
        "previous_recorded_probability": None,
        "previous_recorded_on": None,
    } | changes
    for name in (*_DAYS, "previous_as_of", "previous_recorded_on"):
        row[name] = None if row[name] is None else (row[name] - _EPOCH).days
    return row


def states_of(*rows: dict[str, Any]) -> States:
    """The rows as the scorers see them."""
    return states_from_rows(rows)
