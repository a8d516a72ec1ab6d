"""Upstream's latest statement about a loan beside our own figures at the same day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from analytics_api.flow.figures import CHARGED_OFF, STATUS_NAMES
from analytics_api.flow.past import known_rows
from analytics_api.flow.stories import LedgerOfLoan, Row, fold_ledger, product_settings
from loanbook import wire
from loanbook.domain.events import LoanSnapshot
from loanbook.domain.loan import Loan, LoanStatus
from loanbook.postgres.ledger import TYPE_NAMES


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """What one side says of a loan, in minor units; None where it says nothing."""

    status: str | None
    principal_outstanding: int | None
    overdue: int | None
    days_past_due: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Both sides' figures of one loan at one close."""

    loan_id: str
    stated_on: date
    currency: str | None
    stated: Stated
    ours: Stated

    @property
    def differs_in(self) -> list[str]:
        """The figures that upstream states and that are not ours."""
        return [
            name
            for name in Stated.__dataclass_fields__
            if getattr(self.stated, name) not in {None, getattr(self.ours, name)}
        ]

    @property
    def principal_difference(self) -> int | None:
        """Ours less upstream's."""
        stated = self.stated.principal_outstanding
        return None if stated is None else (self.ours.principal_outstanding or 0) - stated

    @property
    def weight(self) -> tuple[int, int, int]:
        """How bad it is: by principal, then by overdue, then by days."""
        ours, stated = self.ours, self.stated
        return (
            abs(self.principal_difference or 0),
            0 if stated.overdue is None else abs((ours.overdue or 0) - stated.overdue),
            0 if stated.days_past_due is None else abs((ours.days_past_due or 0) - stated.days_past_due),
        )


def compare(book: str, row: Row, ledger: list[Row], authorities: Mapping[int, int]) -> Comparison:
    """A statement against the fold of what upstream had booked when it made it.

    What was booked later, though it counts from an earlier day, the statement could not know.
    """
    stated = wire.decode_data(TYPE_NAMES[row["type_key"]], row["detail"])
    if not isinstance(stated, LoanSnapshot):
        msg = f"{type(stated).__name__} is no statement"
        raise TypeError(msg)
    story = LedgerOfLoan(
        book=book,
        loan_id=row["loan_id"],
        rows=known_rows(ledger, row["business_on"], "booked"),
        authorities=authorities,
        settings=product_settings(row["product_settings"]),
    )
    loan = fold_ledger(story, row["effective_on"])
    return Comparison(
        loan_id=row["loan_id"],
        stated_on=row["effective_on"],
        currency=loan.currency or row["currency"],
        stated=_stated(stated),
        ours=_ours(loan),
    )


def _stated(snapshot: LoanSnapshot) -> Stated:
    return Stated(
        status=_status(snapshot.status),
        principal_outstanding=snapshot.principal_outstanding_minor,
        overdue=snapshot.overdue_minor,
        days_past_due=snapshot.days_past_due,
    )


def _status(word: str | None) -> str | None:
    """Upstream's word as ours is spelled: "Written Off" is written_off."""
    return None if word is None else word.strip().lower().replace(" ", "_").replace("-", "_")


def _ours(loan: Loan) -> Stated:
    charged_off = loan.status == LoanStatus.ACTIVE and loan.charged_off_on is not None
    return Stated(
        status=STATUS_NAMES[CHARGED_OFF if charged_off else loan.status],
        principal_outstanding=loan.principal_outstanding,
        overdue=loan.overdue,
        days_past_due=loan.days_past_due,
    )
