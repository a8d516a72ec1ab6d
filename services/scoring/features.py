"""What the models look at: computed from a loan's state as of a day, for a whole batch at once."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
DayArray = npt.NDArray[np.datetime64]
ObjectArray = npt.NDArray[np.object_]

FEATURES = (
    "days_past_due",
    "max_days_past_due",
    "mean_days_late",
    "on_time_streak",
    "silence",
    "overdue_installments",
    "share_repaid",
    "returned_payments",
    "restructured",
    "first_payment_missed",
)
SHORT_TERM_DAYS = 90
_MISSED_AFTER_DAYS = 3  # the first payment counts as missed; on short terms a day is enough
_SHORT_MISSED_AFTER_DAYS = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanBatch:
    """The states of loans, one array a column; days are datetime64[D], NaT where there is none."""

    loan_key: IntArray
    book_key: IntArray
    branch_key: IntArray
    version: IntArray
    status: IntArray  # loanbook.domain.loan.LoanStatus
    as_of: DayArray  # the latest day for which the state holds, at most the business day
    charged_off: BoolArray
    silent: BoolArray  # the book's history is loading: episodes open without a word
    term_days: FloatArray  # NaN: unknown
    installments: IntArray
    first_due_on: DayArray
    last_due_on: DayArray
    cohort_on: DayArray
    past_due_on: DayArray
    last_payment_on: DayArray
    restructured_on: DayArray
    scheduled: IntArray  # minor units, as all amounts
    total_outstanding: IntArray
    principal_outstanding: IntArray
    overdue: IntArray
    overdue_principal: IntArray
    on_time_streak: IntArray
    max_dpd: IntArray
    returned_payments: IntArray
    mean_days_late: FloatArray  # of the last three decided installments; NaN: none decided

    def __len__(self) -> int:
        return len(self.loan_key)

    def take(self, chosen: BoolArray | IntArray) -> LoanBatch:
        """The chosen loans, in their order."""
        columns: dict[str, Any] = {field.name: getattr(self, field.name)[chosen] for field in fields(self)}
        return LoanBatch(**columns)


def days_between(later: DayArray, earlier: DayArray) -> FloatArray:
    """Days from `earlier` to `later`; NaN where one of them is missing."""
    return (later - earlier) / np.timedelta64(1, "D")


def days_past_due(loans: LoanBatch) -> FloatArray:
    """Days since the oldest unpaid due date; 0 when nothing is past due."""
    return np.nan_to_num(np.maximum(days_between(loans.as_of, loans.past_due_on), 0), nan=0.0)


def is_short_term(loans: LoanBatch) -> BoolArray:
    """Whether the loan runs at most 90 days; an unknown term counts as long."""
    return loans.term_days <= SHORT_TERM_DAYS


def features_of(loans: LoanBatch) -> FloatArray:
    """One row a loan, one column each of FEATURES; NaN where the loan does not say."""
    past_due = days_past_due(loans)
    late = past_due > 0
    columns = (
        past_due,
        np.maximum(loans.max_dpd, past_due),
        loans.mean_days_late,
        loans.on_time_streak,
        np.where(late, _silence(loans), np.nan),
        np.where(late, loans.overdue / _installment(loans), 0.0),
        np.clip(1.0 - loans.total_outstanding / np.maximum(loans.scheduled, 1), 0.0, 1.0),
        loans.returned_payments,
        ~np.isnat(loans.restructured_on),
        _first_payment_missed(loans, past_due),
    )
    return np.column_stack([np.asarray(column, dtype=np.float64) for column in columns])


def _silence(loans: LoanBatch) -> FloatArray:
    since = np.where(np.isnat(loans.last_payment_on), loans.cohort_on, loans.last_payment_on)
    return days_between(loans.as_of, since) / _interval(loans)


def _interval(loans: LoanBatch) -> FloatArray:
    between = days_between(loans.last_due_on, loans.first_due_on) / np.maximum(loans.installments - 1, 1)
    single = days_between(loans.first_due_on, loans.cohort_on)
    interval: FloatArray = np.nan_to_num(np.where(loans.installments > 1, between, single), nan=30.0)
    return np.maximum(interval, 1.0)


def _installment(loans: LoanBatch) -> FloatArray:
    return np.maximum(loans.scheduled, 1) / np.maximum(loans.installments, 1)


def _first_payment_missed(loans: LoanBatch, past_due: FloatArray) -> BoolArray:
    grace = np.where(is_short_term(loans), _SHORT_MISSED_AFTER_DAYS, _MISSED_AFTER_DAYS)
    first_unpaid: BoolArray = loans.past_due_on == loans.first_due_on
    return first_unpaid & (past_due >= grace)
