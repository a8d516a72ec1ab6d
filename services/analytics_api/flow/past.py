"""A loan as a past day saw it: which rows of its ledger were known, and the fold of those alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from analytics_api.flow.stories import LedgerOfLoan, Row, counts, fold_ledger
from loanbook.domain.history import UnappliedReason
from loanbook.domain.loan import Loan, Unapplied

Known = Literal["now", "then", "booked"]
_DAY_OF = {"then": "known_on", "booked": "business_on"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PastLoan:
    """A loan at the close of a day, with the rows that were known by the view asked for."""

    loan: Loan
    rows: list[Row]
    unapplied: list[Unapplied]  # what waited on that day; what only came later is not among it

    def shown_rows(self) -> list[Row]:
        """The rows, each with the reason why it did not count on that day."""
        reasons = {item.event_id: item.reason for item in self.loan.unapplied}
        return [{**row, "unapplied_reason": reasons.get(row["event_id"])} for row in self.rows]


def known_rows(rows: list[Row], as_of: date, known: Known) -> list[Row]:
    """The rows that a view knows: all, those received by the day, or those booked by it."""
    column = _DAY_OF.get(known)
    return rows if column is None else [row for row in rows if row[column] <= as_of]


def past_loan(ledger: LedgerOfLoan, as_of: date, known: Known) -> PastLoan | None:
    """The loan at the close of a day; None if by that view nothing had happened to it yet."""
    rows = known_rows(list(ledger.rows), as_of, known)
    if not any(row["effective_on"] <= as_of and counts(row, ledger.authorities) for row in rows):
        return None
    loan = fold_ledger(replace(ledger, rows=rows), as_of)
    came_by_then = {row["event_id"] for row in rows if row["known_on"] <= as_of}
    waiting = [
        item
        for item in loan.unapplied
        if item.reason != UnappliedReason.FUTURE_DATED or item.event_id in came_by_then
    ]
    return PastLoan(loan=loan, rows=rows, unapplied=waiting)
