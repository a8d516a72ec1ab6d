"""Builders of readable histories: every value has a default, and a test names only what it is about."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from loanbook.domain.events import (
    Fact,
    LoanDisbursed,
    LoanEvent,
    LoanOpenedFromSnapshot,
    PaymentPosted,
    PaymentReversed,
    Period,
    Portions,
    Relation,
    RelationKind,
    SchedulePublished,
)
from loanbook.domain.loan import DelinquencyBucket, Loan, LoanStatus, fold
from loanbook.domain.money import Minor
from loanbook.domain.settings import ProductSettings

BOOK = "demo"
LOAN_ID = "L-1"
SOURCE = "core"
CURRENCY = "EUR"
DAY_0 = date(2024, 1, 1)


def on_day(number: int) -> date:
    """The day so many days after the disbursement of a story."""
    return DAY_0 + timedelta(days=number)


def an_event(fact: Fact, *, event_id: str = "e-1", **overrides: Any) -> LoanEvent:
    """A fact in its envelope, recorded at noon of its business day."""
    given: dict[str, Any] = {
        "book": BOOK,
        "loan_id": LOAN_ID,
        "source": SOURCE,
        "recorded_at": datetime.combine(fact.business_on, time(12), UTC),
    }
    return LoanEvent(event_id=event_id, fact=fact, **{**given, **overrides})


def some_periods(
    amounts: Iterable[int] = (100, 100, 100), *, every_days: int = 30, first_day: int | None = None
) -> tuple[Period, ...]:
    """Installments of principal, in minor units, due every so many days after day 0."""
    first = every_days if first_day is None else first_day
    return tuple(
        Period(number=number, due_on=on_day(first + (number - 1) * every_days), principal_minor=Minor(amount))
        for number, amount in enumerate(amounts, start=1)
    )


class Story:
    """A loan's history told in order; days are counted from the disbursement."""

    def __init__(self, *, loan_id: str = LOAN_ID, settings: ProductSettings | None = None) -> None:
        self.loan_id = loan_id
        self.settings = settings or ProductSettings()
        self.events: list[LoanEvent] = []
        self._ids = itertools.count(1)

    def tell(self, fact_type: type[Fact], day: int, /, *, booked: int | None = None, **fields: Any) -> str:
        """Add any fact that counts from a day; gives its event id."""
        event_id = fields.pop("event_id", None) or f"e{next(self._ids)}"
        envelope = {
            name: fields.pop(name) for name in ("source", "recorded_at", "sequence") if name in fields
        }
        fields.setdefault("currency", CURRENCY)
        business_on = on_day(day if booked is None else booked)
        fact = fact_type(effective_on=on_day(day), business_on=business_on, **fields)
        self.events.append(an_event(fact, event_id=event_id, loan_id=self.loan_id, **envelope))
        return event_id

    def lent(
        self, amounts: Iterable[int] = (100, 100, 100), *, every_days: int = 30, first_day: int | None = None
    ) -> Story:
        """Disburse on day 0 what the installments add up to."""
        periods = some_periods(amounts, every_days=every_days, first_day=first_day)
        self.tell(LoanDisbursed, 0, amount_minor=Minor(sum(p.principal_minor or 0 for p in periods)))
        self.planned(periods)
        return self

    def running(self, amounts: Iterable[int], *, paid: int, day: int, **fields: Any) -> Story:
        """Open it from a snapshot of that day; it was disbursed on day 0."""
        periods = some_periods(amounts)
        lent = Minor(sum(p.principal_minor or 0 for p in periods))
        fields |= {"disbursed_minor": lent, "paid_minor": Minor(paid), "periods": periods}
        self.tell(LoanOpenedFromSnapshot, day, disbursed_on=on_day(0), **fields)
        return self

    def planned(
        self,
        periods: Iterable[Period],
        *,
        day: int = 0,
        version: int = 1,
        **fields: Any,
    ) -> str:
        """Publish a schedule."""
        return self.tell(
            SchedulePublished,
            day,
            periods=tuple(periods),
            entity_id="schedule",
            entity_version=version,
            **fields,
        )

    def paid(self, day: int, amount: int, **fields: Any) -> str:
        """Post a repayment."""
        return self.tell(PaymentPosted, day, amount_minor=Minor(amount), **fields)

    def reversed(self, original: str, day: int, **fields: Any) -> str:
        """Reverse an earlier event."""
        relates_to = (Relation(kind=RelationKind.REVERSES, id=original),)
        return self.tell(PaymentReversed, day, relates_to=relates_to, **fields)

    def at(self, day: int) -> Loan:
        """The loan at the close of a day."""
        return fold(BOOK, self.loan_id, self.events, self.settings, on_day(day))


def portions(principal: int = 0, interest: int = 0, fee: int = 0, penalty: int = 0) -> Portions:
    """How upstream split a payment."""
    return Portions(
        principal_minor=Minor(principal),
        interest_minor=Minor(interest),
        fee_minor=Minor(fee),
        penalty_minor=Minor(penalty),
    )


def a_loan(days_past_due: int = 0, **overrides: Any) -> Loan:
    """An active loan of 1,000.00, so many days late; for code that reads states."""
    as_of = overrides.pop("as_of", on_day(100))
    late = {
        "past_due_on": as_of - timedelta(days=days_past_due) if days_past_due else None,
        "delinquent_days": days_past_due,
        "bucket": DelinquencyBucket((days_past_due > 0) + sum(days_past_due > edge for edge in (30, 60, 90))),
        "overdue": 10_000 if days_past_due else 0,
        "overdue_principal": 10_000 if days_past_due else 0,
        "max_dpd": days_past_due,
    }
    loan = Loan(
        book=BOOK,
        loan_id=LOAN_ID,
        as_of=as_of,
        currency=CURRENCY,
        status=LoanStatus.ACTIVE,
        disbursed_on=DAY_0,
        disbursed=100_000,
        principal_outstanding=100_000,
        total_outstanding=100_000,
        scheduled=100_000,
    )
    return replace(loan, **{**late, **overrides})
