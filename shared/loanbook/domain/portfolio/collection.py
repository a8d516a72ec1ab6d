"""What fell due and what came in: measures of a period, from states at or after its end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from fractions import Fraction

from loanbook.domain.events import PaymentAdjusted, PaymentPosted, PeriodKind
from loanbook.domain.portfolio.ratio import Ratio, Share
from loanbook.domain.state import InstallmentState, Loan

MISSED_AFTER_DAYS = 30
_CASH = frozenset({PaymentPosted.TYPE, PaymentAdjusted.TYPE})


class Outcome(StrEnum):
    """How an installment went, as seen at the close of a day after its due day."""

    ON_TIME = "on_time"  # met by its due day
    LATE = "late"  # met within 30 days
    MISSED = "missed"  # not met within 30 days; stays so even if paid later
    OPEN = "open"  # not met, and not yet missed


@dataclass(frozen=True, slots=True, kw_only=True)
class Efficiency:
    """Collection efficiency of a period: of what fell due in it, and of all cash."""

    current: Ratio  # paid by the end of the period of what fell due in it; at most 1
    total: Ratio  # all cash of the period over what fell due in it; may pass 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """Days from due day to payment, over installments met in a period."""

    days: int
    met: int
    late: int

    @property
    def mean(self) -> Fraction | None:
        """Over all met, early ones as 0."""
        return Fraction(self.days, self.met) if self.met else None

    @property
    def mean_of_late(self) -> Fraction | None:
        """Over the late ones alone."""
        return Fraction(self.days, self.late) if self.late else None


def collection_efficiency(loans: Iterable[Loan], *, first_on: date, last_on: date) -> Efficiency:
    """Both efficiencies of the days from first to last; None where nothing fell due."""
    due = collected = cash = 0
    for loan in loans:
        paid = _cash_by_installment(loan, last_on)
        for item in loan.installments:
            if first_on <= item.due_on <= last_on and loan.disbursed_on is not None:
                due += item.due.total
                collected += min(item.due.total, paid.get(item.number, 0))
        for on, day in loan.cash.items():
            if first_on <= on <= last_on:
                cash += day.arrears + day.current + day.advance
    return Efficiency(
        current=Ratio(numerator=collected, denominator=due), total=Ratio(numerator=cash, denominator=due)
    )


def outcome_of(
    item: InstallmentState, as_of: date, *, missed_after: int = MISSED_AFTER_DAYS
) -> Outcome | None:
    """How an installment went; None while it is not past its due day, or for rows no customer pays."""
    if item.kind != PeriodKind.REGULAR or not item.due.total or item.due_on >= as_of:
        return None
    met_on = item.met_on if item.met_on is not None and item.met_on <= as_of else None
    late = ((met_on or as_of) - item.due_on).days
    if met_on is not None and late <= 0:
        return Outcome.ON_TIME
    if late > missed_after:
        return Outcome.MISSED
    return Outcome.LATE if met_on is not None else Outcome.OPEN


def outcomes(loans: Iterable[Loan], *, first_on: date, last_on: date) -> dict[Outcome, tuple[int, int]]:
    """Installments due in a period by outcome: how many, and how much was due."""
    found = dict.fromkeys(Outcome, (0, 0))
    for loan, item in _installments(loans):
        outcome = outcome_of(item, loan.as_of)
        if outcome is not None and first_on <= item.due_on <= last_on:
            count, amount = found[outcome]
            found[outcome] = (count + 1, amount + item.due.total)
    return found


def on_time_rate(loans: Iterable[Loan], *, first_on: date, last_on: date) -> Share:
    """On time over decided installments (open ones stand beside), by amount and by count."""
    found = outcomes(loans, first_on=first_on, last_on=last_on)
    decided = [found[outcome] for outcome in Outcome if outcome is not Outcome.OPEN]
    count, amount = found[Outcome.ON_TIME]
    return Share(
        amount=Ratio(numerator=amount, denominator=sum(part[1] for part in decided)),
        count=Ratio(numerator=count, denominator=sum(part[0] for part in decided)),
    )


def average_delay(loans: Iterable[Loan], *, first_on: date, last_on: date) -> Delay:
    """Lateness of the installments met in a period."""
    days = met = late = 0
    for _, item in _installments(loans):
        if item.met_on is not None and first_on <= item.met_on <= last_on and item.due.total:
            lateness = max(0, (item.met_on - item.due_on).days)
            days, met, late = days + lateness, met + 1, late + (lateness > 0)
    return Delay(days=days, met=met, late=late)


def recovery_of_missed(
    loans: Iterable[Loan], *, within_days: int, first_on: date = date.min, last_on: date = date.max
) -> Share:
    """Share of installments at least a day late that were met within so many days of their due day.

    Only those due in a period and old enough to know: due day plus the days before the day of the states.
    """
    late, late_count, met, met_count = 0, 0, 0, 0
    for loan, item in _installments(loans):
        limit = item.due_on + timedelta(days=within_days)
        was_late = item.met_on is None or item.met_on > item.due_on
        if not (item.kind == PeriodKind.REGULAR and item.due.total and was_late and limit < loan.as_of):
            continue
        if first_on <= item.due_on <= last_on:
            late, late_count = late + item.due.total, late_count + 1
            if item.met_on is not None and item.met_on <= limit:
                met, met_count = met + item.due.total, met_count + 1
    return Share(
        amount=Ratio(numerator=met, denominator=late),
        count=Ratio(numerator=met_count, denominator=late_count),
    )


def first_payment_default_rate(
    loans: Iterable[Loan], *, days: int = 30, days_short: int = 7, short_term_days: int = 90
) -> Ratio:
    """First-payment defaults over loans whose first installment has been due for long enough to know."""
    known = defaulted = 0
    for loan in loans:
        first = next((i for i in loan.installments if i.kind == PeriodKind.REGULAR and i.due.total), None)
        if first is None or loan.disbursed_on is None:
            continue
        term = loan.term_days
        if term is None:
            term = (max(i.due_on for i in loan.installments) - loan.disbursed_on).days
        wait = days_short if term <= short_term_days else days
        if first.due_on + timedelta(days=wait) < loan.as_of:
            known += 1
            defaulted += loan.first_payment_default
    return Ratio(numerator=defaulted, denominator=known)


def _installments(loans: Iterable[Loan]) -> Iterator[tuple[Loan, InstallmentState]]:
    for loan in loans:
        if loan.disbursed_on is not None:
            for item in loan.installments:
                yield loan, item


def _cash_by_installment(loan: Loan, last_on: date) -> dict[int, int]:
    """Cash that has settled each installment by a day; credits and waivers are no cash."""
    paid: dict[int, int] = {}
    for transaction in loan.transactions:
        if transaction.type in _CASH and not transaction.reversed and transaction.effective_on <= last_on:
            for number, amount in transaction.settled:
                paid[number] = paid.get(number, 0) + amount
    return paid
