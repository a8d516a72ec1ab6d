"""Upstream's latest statement about a loan beside our own figures at the same day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

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

    stated: Stated
    ours: Stated
    differs_in: list[str]

    @classmethod
    def failed(cls) -> Self:
        """Our fold failed: nothing is vouched for."""
        return cls(stated=NOTHING, ours=NOTHING, differs_in=["fold"])


NOTHING = Stated(status=None, principal_outstanding=None, overdue=None, days_past_due=None)


def compare(row: Row, ledger: list[Row], authorities: Mapping[int, int]) -> Comparison:
    """A statement against the fold of what upstream had booked when it made it.

    What was booked later, though it counts from an earlier day, the statement could not know.
    """
    stated = wire.decode_data(TYPE_NAMES[row["type_key"]], row["detail"])
    if not isinstance(stated, LoanSnapshot):
        msg = f"{type(stated).__name__} is no statement"
        raise TypeError(msg)
    story = LedgerOfLoan(
        book=row["book"],
        loan_id=row["loan_id"],
        rows=known_rows(ledger, row["business_on"], "booked"),
        authorities=authorities,
        settings=product_settings(row["product_settings"]),
    )
    loan = fold_ledger(story, row["effective_on"])
    theirs, ours = _stated(stated), _ours(loan)
    return Comparison(stated=theirs, ours=ours, differs_in=_differing(theirs, ours))


def _differing(stated: Stated, ours: Stated) -> list[str]:
    """The figures that upstream states and that are not ours."""
    names = Stated.__dataclass_fields__
    return [name for name in names if getattr(stated, name) not in {None, getattr(ours, name)}]


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
