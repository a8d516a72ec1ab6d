"""Past days told anew: what a backdated event changes in the daily history of its loan and its book.

A fold of the events known on the day gives the figures at every past close; what the history holds
is subtracted and what is right now is added, both under the day on which the events came.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from operator import add, sub
from typing import Any, NamedTuple

from ingest.records import LoanRef, RollupCell, RollupMeasures
from loanbook.domain.events import LoanEvent
from loanbook.domain.loan import Loan

_DAY = timedelta(days=1)


class DayFigures(NamedTuple):
    """Figures of a loan from a day on, as the roll-ups hold them."""

    on_date: date
    past_due_on: date | None
    cell: RollupCell
    measures: RollupMeasures


class BookDayCell(NamedTuple):
    """Key of core.book_day."""

    business_on: date
    known_on: date
    cell: RollupCell


@dataclass(frozen=True, slots=True, kw_only=True)
class Restatement:
    """Days of one loan to tell anew: from the first one changed to the one before the events came."""

    ref: LoanRef
    loan_id: str
    book_key: int
    known_on: date
    from_on: date


def first_changed_on(
    fresh: Sequence[LoanEvent], known: Iterable[LoanEvent], business_on: date
) -> date | None:
    """The first closed day that new events change, or None when they change no closed day.

    What undoes or corrects an earlier fact changes the days since that one.
    """
    days = [event.fact.effective_on for event in fresh]
    named = {relation.id for event in fresh for relation in event.fact.relates_to}
    if named:
        days += [e.fact.effective_on for e in known if e.event_id in named or e.fact.entity_id in named]
    elif any(event.fact.UNDOES for event in fresh):
        days += [event.fact.effective_on for event in known]
    first = min(days)
    return first if first < business_on else None


def retell(
    restatement: Restatement, fold_at: Callable[[date], Loan], figures_of: Callable[[Loan], DayFigures]
) -> list[DayFigures]:
    """Figures of a loan at the closes from the first changed day on, one entry where they change."""
    told: list[DayFigures] = []
    day = restatement.from_on
    while day < restatement.known_on:
        loan = fold_at(day)
        told.append(figures_of(loan))
        day = loan.next_boundary_on or restatement.known_on
    return [entry for n, entry in enumerate(told) if not n or entry[1:] != told[n - 1][1:]]


def as_known(rows: Sequence[tuple[date, DayFigures]], known_on: date) -> list[DayFigures]:
    """The history that was in force on a day: rows (known_on, figures) in the order of what was known.

    Each later telling replaces everything from its first day on.
    """
    told: list[DayFigures] = []
    tellings: dict[date, list[DayFigures]] = defaultdict(list)
    for known, figures in rows:
        if known <= known_on:
            tellings[known].append(figures)
    for known in sorted(tellings):
        first = tellings[known][0].on_date
        told = [entry for entry in told if entry.on_date < first] + tellings[known]
    return told


def book_differences(
    restatement: Restatement, before: Sequence[DayFigures], after: Sequence[DayFigures]
) -> dict[BookDayCell, RollupMeasures]:
    """What the closes of the days told anew gain and lose by this loan."""
    sums: dict[BookDayCell, RollupMeasures] = defaultdict(RollupMeasures)
    for day in days_between(restatement.from_on, restatement.known_on):
        for told, operation in ((before, sub), (after, add)):
            figures = at(told, day)
            if figures is not None:
                key = BookDayCell(day, restatement.known_on, figures.cell)
                sums[key] = RollupMeasures(*map(operation, sums[key], figures.measures))
    return {key: measures for key, measures in sums.items() if any(measures)}


def at(told: Sequence[DayFigures], day: date) -> DayFigures | None:
    """The entry in force on a day."""
    place = bisect_right(told, day, key=lambda entry: entry.on_date)
    return told[place - 1] if place else None


def days_between(first: date, end: date) -> Iterator[date]:
    """Each day from the first up to, and without, the end."""
    for number in range((end - first).days):
        yield first + number * _DAY


def add_up(parts: Iterable[Mapping[BookDayCell, RollupMeasures]]) -> dict[BookDayCell, RollupMeasures]:
    """Differences of many loans together, in key order."""
    sums: dict[BookDayCell, RollupMeasures] = defaultdict(RollupMeasures)
    for part in parts:
        for key, measures in part.items():
            sums[key] = RollupMeasures(*map(add, sums[key], measures))
    return {key: measures for key, measures in sorted(sums.items()) if any(measures)}


def loan_day_row(ref: LoanRef, known_on: date, entry: DayFigures) -> tuple[Any, ...]:
    """Row of core.loan_day."""
    return (*ref, entry.on_date, known_on, entry.past_due_on, *entry.cell, *entry.measures)
