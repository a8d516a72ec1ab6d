"""What one loan adds to the measures of collection, punctuality and losses, by day; pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import IntEnum

from analytics_api.flow.rolling import month_end
from loanbook.domain.events import PaymentAdjusted, PaymentPosted, PeriodKind
from loanbook.domain.loan import InstallmentState, Loan
from loanbook.domain.portfolio.collection import MISSED_AFTER_DAYS

_CASH = frozenset({PaymentPosted.TYPE, PaymentAdjusted.TYPE})


class Measure(IntEnum):
    """What is counted; the numbers are stored. On a due day unless said otherwise; totals are amounts."""

    LOANS = 1  # with dues in the month, on the first of its due days
    DUE = 2  # installments, and what they came to
    COLLECTED = 3  # cash for them by the end of the due day's month
    CASH = 4  # on its own day
    ON_TIME = 5  # met by the due day
    LATE = 6  # met within 30 days
    MISSED = 7  # met later than that, or not at all; which of both, a reader decides by its day
    UNMET = 8
    DELAY = 9  # on the day it was met: the total is in days
    DELAY_LATE = 10  # the late ones among them
    LOST = 11  # charged off, else written off, on that day
    WRITTEN_OFF = 12  # on that day
    RECOVERED = 13  # whenever, on the day of the write-off


RESOLVED_AFTER = 100  # and the days late, up to 90: a measure for each, of installments met that late
RESOLVED_DAYS_MAX = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """One entry: how many, and how much."""

    day: date
    measure: int  # a Measure, or RESOLVED_AFTER and days
    items: int
    total: int


def tallies_of(loan: Loan) -> list[Tally]:
    """All entries of a loan at the close it was folded at; at most one a day and measure."""
    sums: dict[tuple[date, int], list[int]] = defaultdict(lambda: [0, 0])
    if loan.disbursed_on is not None:
        for day, measure, items, total in (*_dues(loan), *_cash(loan), *_losses(loan)):
            entry = sums[day, measure]
            entry[0] += items
            entry[1] += total
    return [
        Tally(day=day, measure=measure, items=items, total=total)
        for (day, measure), (items, total) in sums.items()
    ]


_Entry = tuple[date, int, int, int]


def _dues(loan: Loan) -> Iterator[_Entry]:
    settled = _cash_by_installment(loan)
    firsts: dict[date, date] = {}
    for item in loan.installments:
        due = item.due.total
        yield item.due_on, Measure.DUE, 1, due
        month = month_end(item.due_on)
        firsts[month] = min(item.due_on, firsts.get(month, item.due_on))
        paid = sum(amount for on, amount in settled.get(item.number, ()) if on <= month)
        if paid:
            yield item.due_on, Measure.COLLECTED, 1, min(due, paid)
        if due:
            yield from _punctuality(item, due)
    for first in firsts.values():
        yield first, Measure.LOANS, 1, 0


def _punctuality(item: InstallmentState, due: int) -> Iterator[_Entry]:
    days_late = None if item.met_on is None else max(0, (item.met_on - item.due_on).days)
    if item.met_on is not None and days_late is not None:
        yield item.met_on, Measure.DELAY, 1, days_late
        if days_late:
            yield item.met_on, Measure.DELAY_LATE, 1, days_late
    if item.kind == PeriodKind.REGULAR:
        yield item.due_on, _outcome(days_late), 1, due
        if days_late and days_late <= RESOLVED_DAYS_MAX:
            yield item.due_on, RESOLVED_AFTER + days_late, 1, due


def _outcome(days_late: int | None) -> Measure:
    if days_late is None:
        return Measure.UNMET
    if days_late == 0:
        return Measure.ON_TIME
    return Measure.MISSED if days_late > MISSED_AFTER_DAYS else Measure.LATE


def _cash_by_installment(loan: Loan) -> dict[int, list[tuple[date, int]]]:
    """Day and amount of the cash that settled each installment; credits and waivers are no cash."""
    settled: dict[int, list[tuple[date, int]]] = defaultdict(list)
    for transaction in loan.transactions:
        if transaction.type in _CASH and not transaction.reversed:
            for number, amount in transaction.settled:
                settled[number].append((transaction.effective_on, amount))
    return settled


def _cash(loan: Loan) -> Iterator[_Entry]:
    for on, day in loan.cash.items():
        amount = day.arrears + day.current + day.advance
        if amount:
            yield on, Measure.CASH, 1, amount


def _losses(loan: Loan) -> Iterator[_Entry]:
    if loan.charged_off_on is not None:
        yield loan.charged_off_on, Measure.LOST, 1, loan.charged_off
    elif loan.written_off_on is not None:
        yield loan.written_off_on, Measure.LOST, 1, loan.written_off
    if loan.written_off_on is not None:
        yield loan.written_off_on, Measure.WRITTEN_OFF, 1, loan.written_off
        if loan.recovered:
            yield loan.written_off_on, Measure.RECOVERED, 1, loan.recovered
