"""Which events of a batch take the short cut: payments on plain loans, later than all that was known.

What is strictly later than everything a loan had cannot be a repetition of it, and what is no
repetition, reversal or correction only adds to the sum paid.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.locked import Ints, Locked, LockedColumns
from ingest.plain import LAST_ORDER, PlainBatch, are_plain
from ingest.records import Identity, LedgerRow, LoanRef
from ingest.sorting_out import ORDER, Taken
from loanbook.domain.plain import Flags


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """New events loan by loan in their order, and their locked loans; a column has one value an event."""

    loans: LockedColumns
    rows: list[LedgerRow]
    numbers: NDArray[Any]  # of NUMBERS
    arrived: Ints  # number of each event among those that came
    place: Ints  # of the event's loan
    is_later: Flags  # than all its loan had, and than the arrival before it

    @property
    def earlier(self) -> list[LedgerRow]:
        """What came to plain loans and may be a repetition: the ledger knows."""
        asked = are_plain(self.loans)[self.place] & ~self.is_later
        return [self.rows[number] for number in np.flatnonzero(asked).tolist()]

    def but(self, chosen: Flags) -> list[LedgerRow]:
        """All but the chosen ones, as they came."""
        left = np.flatnonzero(~chosen)
        return [self.rows[number] for number in left[np.argsort(self.arrived[left])].tolist()]


def arrange(taken: Taken, locked: Mapping[LoanRef, Locked]) -> Arrivals:
    """Put events in the order of their loans and tell which are later than all that was known."""
    refs = sorted(locked)
    loans = LockedColumns.of([locked[ref] for ref in refs])
    places = {ref: place for place, ref in enumerate(refs)}
    place = np.array([places[row.ref] for row in taken.rows], np.int64)
    arrived = np.lexsort((*(taken.numbers[name] for name in reversed(ORDER)), place))
    place, numbers = place[arrived], taken.numbers[arrived]
    return Arrivals(
        loans=loans,
        rows=[taken.rows[number] for number in arrived.tolist()],
        numbers=numbers,
        arrived=arrived,
        place=place,
        is_later=_is_later(loans, place, [numbers[name] for name in ORDER]),
    )


def choose_idle(locked: Mapping[LoanRef, Locked], today: date) -> tuple[PlainBatch, dict[LoanRef, Locked]]:
    """Part plain loans for which nothing came but a new day from all others."""
    loans = LockedColumns.of(list(locked.values()))
    is_plain = are_plain(loans)
    batch = PlainBatch(
        loans=loans.take(np.flatnonzero(is_plain)),
        rows=[],
        amounts=np.zeros(0, np.int64),
        place=np.zeros(0, np.int64),
        order=[np.zeros(0, np.int64)] * 4,
        today=np.full(np.count_nonzero(is_plain), today.toordinal(), np.int64),
    )
    return batch, {
        ref: locked[ref] for ref, plain in zip(locked, is_plain.tolist(), strict=True) if not plain
    }


def choose(
    arrivals: Arrivals, known: Collection[Identity], *, doubted: bool = False
) -> tuple[PlainBatch, list[LedgerRow]]:
    """Part payments that may take the short cut from all other events; `known` are in the ledger already.

    `doubted`: later ones may be repetitions, too, told again under another time.
    """
    loans, place = arrivals.loans, arrivals.place
    is_plain = are_plain(loans)
    fits = _fits(arrivals)
    repeats = _repeats(arrivals, known, np.ones_like(fits) if doubted else ~arrivals.is_later)
    is_plain[place[~repeats & ~(fits & arrivals.is_later)]] = False
    chosen = is_plain[place] & ~repeats
    return _batch(arrivals, chosen), arrivals.but(chosen)


def choose_none(arrivals: Arrivals) -> tuple[PlainBatch, list[LedgerRow]]:
    """Leave all events to the general way."""
    none = np.zeros(len(arrivals.rows), np.bool_)
    return _batch(arrivals, none), arrivals.but(none)


def _is_later(loans: LockedColumns, place: Ints, order: Sequence[Ints]) -> Flags:
    is_new = _is_over(order, [loans[name][place] for name in LAST_ORDER])
    is_first = np.diff(place, prepend=-1) > 0
    return is_new & (is_first | _is_over(order, [np.roll(part, 1) for part in order]))


def _is_over(order: Sequence[Ints], before: Sequence[Ints]) -> Flags:
    """Where one order is strictly above another, compared part by part."""
    is_over = np.zeros(len(order[0]), np.bool_)
    is_same = np.ones(len(order[0]), np.bool_)
    for part, part_before in zip(order, before, strict=True):
        is_over |= is_same & (part > part_before)
        is_same &= part == part_before
    return is_over


def _fits(arrivals: Arrivals) -> Flags:
    """Which events only add to what was paid, and are not undone by one that came before them."""
    loans, place = arrivals.loans, arrivals.place
    fits: Flags = arrivals.numbers["paid_in"] == loans["currency_key"][place]
    named = [loan.named_ids for loan in loans.rows]
    undone = [number for number, ids in enumerate(named) if ids]
    for number in np.flatnonzero(np.isin(place, undone)).tolist():
        event = arrivals.rows[number].event
        fits[number] &= not {event.event_id, event.fact.entity_id} & set(named[place[number]])
    return fits


def _repeats(arrivals: Arrivals, known: Collection[Identity], suspects: Flags) -> Flags:
    """Which of the suspects the ledger holds, or came before in this batch: they change nothing."""
    repeats = np.zeros(len(arrivals.rows), np.bool_)
    met = set(known)
    for number in np.flatnonzero(suspects).tolist():
        identity = arrivals.rows[number].identity
        before = arrivals.rows[number - 1].identity if number else None
        repeats[number] = identity in met or identity == before
        met.add(identity)
    return repeats


def _batch(arrivals: Arrivals, is_chosen: Flags) -> PlainBatch:
    chosen = np.flatnonzero(is_chosen)
    places, place = np.unique(arrivals.place[chosen], return_inverse=True)
    rows, numbers = [arrivals.rows[number] for number in chosen.tolist()], arrivals.numbers[chosen]
    first = np.searchsorted(place, np.arange(len(places))).tolist()
    return PlainBatch(
        loans=arrivals.loans.take(places),
        rows=rows,
        amounts=numbers["amount"],
        place=place,
        order=[numbers[name] for name in ORDER],
        today=np.array([rows[number].book.business_on.toordinal() for number in first], np.int64),
    )
